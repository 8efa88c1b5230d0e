// SPDX-License-Identifier: EUPL-1.2
// Doorverwijzing: to whom, how warm, what became of it. Referred is not helped: tried, reached and helped are three facts.
// Consent is asked only where something is shared, and never filled in beforehand.
import { ask } from "./api.js";
import { announce, el, fill, fresh, later, number, typed } from "./dom.js";
import { beginDraft, chips, draft, draftOf, errorBox, field, input, press, textarea } from "./form.js";
import { dateText, dayAge, t } from "./lang.js";
import { go, now, refresh } from "./main.js";
import { versionsBox } from "./versions.js";
import { domainDetails, domains, firstWords, label, list } from "./words.js";

const needsConsent = (kind) => kind === "aangemeld" || kind === "brief";
// When to ask how it went, warm to cold.
const proposal = { mee: "+1w", samen_gebeld: "+1w", aangemeld: "+1w", brief: "+2w", info: "+2w" };
const fields = ["service", "service_name", "group", "kind", "domain", "consent", "consent_what", "consent_until", "text"];

function followChoices() {
	return [{ id: "", label: t("Not needed") }, { id: "+3d", label: t("In 3 days") }, { id: "+1w", label: t("In a week") },
		{ id: "+2w", label: t("In two weeks") }, { id: "+1m", label: t("In a month") }];
}

// One box: what is typed is looked up in the directory, and may stay as it is typed.
function serviceField(s, touched) {
	const id = fresh("s");
	const name = input("service_name", s.service_name, { maxlength: 200, role: "combobox", "aria-expanded": "false", "aria-controls": id, "aria-autocomplete": "list" });
	const found = el("ul", { class: "suggest", id });
	const chosen = el("div", { role: "status" });
	const group = el("select", { name: "group" }, el("option", { value: "" }, t("Choose")), list("group").map((g) => el("option", { value: g.id }, g.label)));
	const groupField = field(t("What kind of organisation is it?"), group);
	let service = s.service || null;
	let asked = "";

	group.value = s.group || "";
	const paintChosen = () => {
		groupField.hidden = Boolean(service) || name.value.trim() === "";
		fill(chosen, service && el("p", { class: "note" }, t("From the directory."), " ", el("button", { class: "quiet", type: "button", onclick: () => {
			service = null;
			paintChosen();
			touched();
			name.focus();
		} }, t("Somewhere else"))));
	};
	const close = () => { fill(found); name.setAttribute("aria-expanded", "false"); };
	const look = later(150, async () => {
		const words = name.value.trim();
		let all = [];

		asked = words;
		if (words.length > 1)
			all = (await ask("service/search", { words }).catch(() => ({ services: [] }))).services;
		if (asked !== words || service)
			return;
		name.setAttribute("aria-expanded", String(all.length > 0));
		fill(found, all.slice(0, 6).map((x) => el("li", {}, el("button", { type: "button", onclick: () => {
			service = x.id;
			name.value = x.name;
			group.value = x.group || "anders";
			close();
			paintChosen();
			touched();
			name.focus();
		} }, typed(x.name, "strong"), " ", x.organisation && typed(x.organisation), " ",
		el("span", { class: x.stale ? "tag warn" : "tag good" }, x.checked_on ? t("Checked %1", dayAge(x.checked_on, now().today)) : t("Never checked"))))));
	});
	name.addEventListener("input", () => { service = null; paintChosen(); look(); });
	group.addEventListener("change", touched);
	paintChosen();
	return {
		first: name,
		part: el("div", {}, field(t("To which organisation?"), name, t("Type a name. Residents' initiatives are in the list too.")), found, chosen, groupField),
		read: () => ({ service: service ?? "", service_name: name.value.trim(), group: group.value }),
	};
}

function consentPart(s, touched) {
	const what = input("consent_what", s.consent_what, { maxlength: 300 });
	const until = input("consent_until", s.consent_until, { type: "date" });
	const consent = chips({ legend: t("Does the resident agree?"), name: "consent", chosen: [s.consent],
		items: list("consent").filter((c) => c.id !== "niet_nodig" && (c.id !== "ingetrokken" || s.consent)),
		hint: t("You share something about the resident. Ask it first, in their own words."), onchange: touched });
	const part = el("div", { class: "card" }, consent, field(t("What may you share?"), what, t("For example: name and number, nothing else.")),
		field(t("Until when?"), until));

	return { part, read: () => ({ consent: consent.value()[0] ?? "", consent_what: what.value.trim(), consent_until: until.value }) };
}

// Fields of a new or existing referral.
function build(main, { shown, contact, start, name, token, after }) {
	const was = Object.fromEntries(fields.map((f) => [f, shown?.[f] ?? ""]));
	const s = { ...was, ...start };
	const mayChoose = contact?.domains?.length ? list("domain").filter((d) => contact.domains.includes(d.id)) : domains();
	const touched = () => kept.touched();
	const to = serviceField(s, touched);
	const consent = consentPart(s, touched);
	const kind = chips({ legend: t("How do you refer?"), name: "kind", items: list("kind"), chosen: [s.kind], hint: t("From warm to cold. Warm works better."),
		onchange: ([k]) => {
			consent.part.hidden = !needsConsent(k);
			if (!shown && !followTouched)
				follow.choose([proposal[k] ?? ""]);
			touched();
		} });
	const domain = chips({ legend: t("What is it about?"), name: "domain", items: shown ? domains() : mayChoose, extra: shown ? domainDetails() : [],
		chosen: [s.domain || (mayChoose.length === 1 ? mayChoose[0].id : "")], onchange: touched });
	const text = textarea("text", s.text, 2);
	let followTouched = start?.follow_up !== undefined;
	const follow = chips({ legend: t("When do you ask how it went?"), name: "follow_up", items: followChoices(), chosen: [s.follow_up ?? ""],
		onchange: () => { followTouched = true; touched(); } });
	const box = errorBox();
	const save = el("button", { class: "first", type: "submit" }, shown ? t("Save") : t("Save referral"));

	consent.part.hidden = !needsConsent(s.kind);
	const read = () => ({ ...to.read(), kind: kind.value()[0] ?? "", domain: domain.value()[0] ?? "", ...consent.read(), text: text.value,
		follow_up: shown ? undefined : follow.value()[0] ?? "", token: start?.token ?? token, text_was: start?.text_was ?? was.text });
	const kept = draft(name, read);

	function body() {
		const r = read();
		const b = { draft: name };

		for (const f of fields) {
			if (shown ? r[f] !== was[f] : r[f] !== "")
				b[f] = r[f];
		}
		if (!needsConsent(r.kind) && !shown)
			for (const f of ["consent", "consent_what", "consent_until"])
				delete b[f];
		if (r.service)
			delete b.service_name;
		else if (b.service === "")
			delete b.service;
		if (b.service || !r.service_name)
			delete b.group;
		if (shown)
			Object.assign(b, { id: shown.id, token: r.token, text_was: r.text_was });
		else
			b.contact = contact.id;
		return b;
	}
	function check(r) {
		if (!r.service_name)
			throw new Error(t("Type the name of the organisation."));
		if (!r.service && !r.group)
			throw new Error(t("Choose what kind of organisation it is."));
		if (!r.kind)
			throw new Error(t("Choose how you refer."));
		if (!r.domain)
			throw new Error(t("Choose what it is about. One thing for each referral."));
		if (r.kind === "brief" && r.consent !== "schriftelijk")
			throw new Error(t("A letter goes along only if the resident agrees in writing. Ask it first."));
		if (r.kind === "aangemeld" && !["mondeling", "schriftelijk"].includes(r.consent))
			throw new Error(t("You may introduce a resident only if they agree. Ask it first, and choose how they agreed."));
	}
	const submit = press(save, box, async () => {
		const r = read();

		check(r);
		const { id } = await kept.save(() => ask("referral/save", body()));

		if (!shown && r.follow_up)
			await ask("contact/followed", { id: contact.id, follow_up: r.follow_up }).catch((e) => sessionStorage.setItem("said", e.message));
		announce(t("Saved on this computer."));
		await refresh();
		await after(id);
	});
	const form = el("form", { onsubmit: submit, oninput: touched, novalidate: true }, to.part, kind, consent.part,
		(shown || mayChoose.length !== 1 || s.domain) && domain, !shown && follow, field(t("A note for yourself"), text), box,
		el("div", { class: "actions" }, save), kept.sign);

	beginDraft(form, submit, kept, start);
	main.append(form);
	return { focus: to.first, kept };
}

export async function showNew(main, contactId) {
	const name = "referral/new/" + contactId;
	const [c, start] = await Promise.all([ask("contact/show", { id: contactId }), draftOf(name)]);
	const contact = c.contact;

	fill(main, el("h1", { tabindex: "-1" }, t("New referral")),
		el("p", { class: "note" }, contact.resident ? typed(contact.resident) : t("Someone without a name"), contact.text ? [": ", typed(firstWords(contact.text))] : ""));
	const form = build(main, { contact, start, name, after: async (id) => go("doorverwijzing/" + id) });
	return { focus: form.focus, leave: async () => form.kept.flush().catch(() => {}) };
}

// --- what became of it ---

function fact(name, iso) {
	return el("div", { class: iso ? "yes" : null }, el("dt", {}, name), el("dd", {}, iso ? ["✓ ", dateText(iso)] : t("Not yet")));
}

const serviceReasons = ["vol", "past_niet", "buiten_gebied", "papieren", "geen_antwoord", "bestaat_niet", "verkeerde_dienst", "geen_tolk"];
const residentReasons = ["geen_contact", "niet_gekomen", "wil_niet", "reiskosten"];
const ends = ["geholpen", "niet_gelukt", "doorgestuurd", "ingetrokken"];

export function statusForm(r, done) {
	const box = errorBox();
	const save = el("button", { class: "first", type: "submit" }, t("Save what came of it"));
	const reasons = (ids) => list("reason").filter((x) => ids.includes(x.id));
	const choose = (other) => ([v]) => { if (v) other.forEach((o) => o.choose([])); };
	const byService = chips({ legend: t("On the side of the organisation"), name: "reason", items: reasons(serviceReasons), onchange: (v) => choose([byResident, byOther])(v) });
	const byResident = chips({ legend: t("On the side of the resident"), name: "reason", items: reasons(residentReasons), onchange: (v) => choose([byService, byOther])(v) });
	const byOther = chips({ legend: t("Or"), name: "reason", items: reasons(["anders"]), onchange: (v) => choose([byService, byResident])(v) });
	const why = el("div", { class: "card", hidden: true }, el("h3", {}, t("Why did it not work?")), byService, byResident, byOther);
	const next = input("next_name", "", { maxlength: 200 });
	const group = el("select", { name: "next_group" }, el("option", { value: "" }, t("Choose")), list("group").map((g) => el("option", { value: g.id }, g.label)));
	const onward = el("div", { class: "card", hidden: true }, field(t("To which organisation was the resident sent on?"), next), field(t("What kind of organisation is it?"), group));
	const changed = chips({ legend: t("What has changed for you?"), name: "changed", items: list("changed"), hint: t("Ask the resident. No answer is fine too.") });
	const words = textarea("changed_text", "", 2);
	const close = el("div", { class: "card", hidden: true }, changed, field(t("In the resident's own words"), words, t("This stays on your devices.")));
	const date = input("date", now().today, { type: "date", max: now().today });
	const shownStates = list("status").filter((x) => !["plan", "fout", r.status === "plan" ? "" : "verstuurd"].includes(x.id));
	const status = chips({ legend: t("What came of it?"), name: "status", items: shownStates, onchange: ([v]) => {
		why.hidden = v !== "niet_gelukt";
		onward.hidden = v !== "doorgestuurd";
		close.hidden = !ends.includes(v);
	} });
	const submit = press(save, box, async () => {
		const s = status.value()[0];
		const reason = byService.value()[0] || byResident.value()[0] || byOther.value()[0];
		const body = { id: r.id, status: s, date: date.value };

		if (!s)
			throw new Error(t("Choose what came of it."));
		if (s === "niet_gelukt") {
			if (!reason)
				throw new Error(t("Choose why it did not work."));
			body.reason = reason;
		}
		if (s === "doorgestuurd") {
			if (!next.value.trim() || !group.value)
				throw new Error(t("Type the organisation and choose its kind."));
			Object.assign(body, { service_name: next.value.trim(), group: group.value });
		}
		if (ends.includes(s) && changed.value()[0])
			body.changed = changed.value()[0];
		if (ends.includes(s) && s !== "doorgestuurd" && words.value.trim())
			body.text = (r.text ? r.text + "\n" : "") + words.value.trim();
		await ask("referral/status", body);
		announce(t("Saved on this computer."));
		await refresh();
		await done();
	});

	return el("form", { class: "card", onsubmit: submit, novalidate: true }, status, why, onward, close, field(t("On which day?"), date), box,
		el("div", { class: "actions" }, save));
}

function statusLine(r, again) {
	const last = r.events[r.events.length - 1];
	const wrong = el("button", { class: "quiet", type: "button" }, t("The last one is wrong: take it back"));

	wrong.addEventListener("click", press(wrong, null, async () => {
		await ask("referral/status", { id: r.id, status: "fout" });
		announce(t("Taken back."));
		await again();
	}));
	return el("section", {}, el("h2", {}, t("How it went")),
		el("ol", { class: "line" }, r.events.map((e) => el("li", {}, el("strong", {}, label("status", e.status)),
			e.reason ? [": ", label("reason", e.reason)] : "", el("br"), el("span", { class: "when" }, dateText(e.date), " · ", typed(e.author))))),
		last && last.status !== "plan" && r.events.length > 1 && wrong);
}

export async function show(main, id) {
	const name = "referral/" + id;
	const [all, start] = await Promise.all([ask("referral/show", { id }), draftOf(name)]);
	const r = all.referral;
	const again = async () => { const f = await show(main, r.id); main.querySelector("h1").focus(); return f; };
	const change = el("details", { class: "fold", open: Boolean(start) || undefined }, el("summary", {}, t("Change this referral")));
	let form = null;

	fill(main, el("h1", { tabindex: "-1" }, t("Referral"), " ", typed(r.service_name ?? "")),
		el("p", {}, el("span", { class: r.silent ? "tag warn" : "tag good" }, r.silent ? t("No answer yet") : label("status", r.status)), " ",
			el("span", { class: "when" }, t("since %1", dateText(r.since)), " · ", label("domain", r.domain), " · ", label("kind", r.kind))),
		r.resident && el("p", {}, typed(r.resident)),
		versionsBox(r, "referral", again),
		el("dl", { class: "facts" }, fact(t("Tried"), r.tried), fact(t("Reached"), r.reached), fact(t("Helped"), r.helped)),
		el("div", { class: "actions" }, el("a", { class: "button", href: "#/brief/" + r.id }, t("Letter and slip")),
			el("span", {}, t("Code of the slip:"), " ", el("strong", {}, number(r.code)))),
		el("div", { class: "part" }, statusLine(r, again)), statusForm(r, again),
		r.changed && el("p", {}, t("What has changed for you?"), " ", el("strong", {}, label("changed", r.changed))),
		change,
		r.contact && el("p", {}, el("a", { href: "#/gesprek/" + r.contact }, t("To the conversation"))));
	form = build(change, { shown: r, start, name, token: all.token, after: again });
	return { leave: async () => form.kept.flush().catch(() => {}) };
}
