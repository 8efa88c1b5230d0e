// SPDX-License-Identifier: EUPL-1.2
// Gesprek: what was said, what it was about, what I did, when I call back. The rest is folded away. Without a name by
// default. Everything is kept as it is typed.
import { ask } from "./api.js";
import { announce, el, fill, later, typed } from "./dom.js";
import { beginDraft, chips, draft, draftOf, errorBox, field, input, press, textarea } from "./form.js";
import { dateText, t } from "./lang.js";
import { go, now, refresh } from "./main.js";
import { versionsBox } from "./versions.js";
import { domainDetails, domains, firstWords, label, list } from "./words.js";

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

function whenChoices() {
	return [
		{ id: "", label: t("Not needed") }, { id: "+1d", label: t("Tomorrow") }, { id: "+3d", label: t("In 3 days") },
		{ id: "+1w", label: t("In a week") }, { id: "+2w", label: t("In two weeks") }, { id: "+1m", label: t("In a month") },
		{ id: "date", label: t("On a date") },
	];
}

// Is this somebody who is known already? Sounding alike is enough to ask; "somebody else" is remembered.
function nameField(value, touched, known) {
	const nick = input("resident", value, { maxlength: 100 });
	const hint = el("div", { role: "status" });
	let asked = value;

	const look = later(250, async () => {
		const typedNow = nick.value.trim();

		asked = typedNow;
		if (!typedNow)
			return fill(hint);
		let found = null;
		try {
			found = (await ask("resident/sounding", { nick: typedNow })).residents;
		} catch {
			return fill(hint);
		}
		if (asked !== typedNow)
			return;
		const exact = found.find((r) => r.nick.toLowerCase() === typedNow.toLowerCase());
		if (exact) {
			known(exact);
			return fill(hint, el("p", { class: "note" }, t("You know this resident already. This conversation is added.")));
		}
		known(null);
		fill(hint, found.slice(0, 3).map((r) => {
			const box = el("div", { class: "note" }, el("p", {}, t("This sounds like somebody you know:"), " ", el("strong", {}, typed(r.nick))));

			box.append(el("div", { class: "actions" },
				el("button", { type: "button", onclick: () => { nick.value = r.nick; nick.focus(); touched(); look(); } }, t("Yes, the same person")),
				el("button", { type: "button", onclick: async () => {
					await ask("resident/not-same", { id: r.id, nick: typedNow }).catch(() => {});
					box.remove();
					nick.focus();
				} }, t("No, somebody else"))));
			return box;
		}));
	});
	nick.addEventListener("input", look);
	if (value)
		look();
	return { nick, hint };
}

// The form for a new or an existing conversation; `shown` is the record as it stands, `start` what a draft says.
function build(main, { shown, start, name, follows, token, circles }) {
	const was = {
		text: shown?.text ?? "", domains: shown?.domains ?? [], did: shown?.did ?? [], resident: shown?.resident ?? "",
		channel: shown?.channel ?? "", who: shown?.who ?? "", date: shown?.date ?? "", follow_up: "", reach: "", number: "",
	};
	const s = { ...was, ...start };
	let person = null;
	let reachTouched = Boolean(start?.reach || start?.number);
	const touched = () => kept.touched();
	const text = textarea("text", s.text, 4);
	const about = chips({ legend: t("What is it about?"), name: "domains", items: domains(), extra: domainDetails(), chosen: s.domains, several: true, onchange: touched });
	const did = chips({ legend: t("What did you do?"), name: "did", items: list("did"), chosen: s.did, several: true, onchange: touched });
	const day = input("follow_up_date", s.follow_up_date, { type: "date", min: now().today });
	const dayField = field(t("Call back on"), day);
	const never = el("p", { class: "note warn", hidden: true }, t("This resident asked not to be reached. So no reminder is kept."));
	const when = chips({ legend: t("When do you call back?"), name: "follow_up", items: whenChoices(), chosen: [s.follow_up],
		onchange: ([v]) => { dayField.hidden = v !== "date"; if (v === "date") day.focus(); touched(); } });
	const number = input("number", s.number, { type: "tel", dir: "ltr", maxlength: 100 });
	const numberField = field(t("Number or address"), number, t("Only if the resident wants this."));
	const reach = chips({ legend: t("How may I reach you?"), name: "reach", items: list("reach"), chosen: [s.reach],
		hint: t("\"Not\" is a good answer too."),
		onchange: ([v]) => { reachTouched = true; numberField.hidden = !v || v === "niet"; never.hidden = v !== "niet"; touched(); } });
	const reachPart = el("div", {}, reach, numberField);
	const person_ = nameField(s.resident, touched, (r) => {
		person = r;
		if (r && !reachTouched) {
			reach.choose([r.reach ?? ""]);
			number.value = r.number ?? "";
		}
		numberField.hidden = !reach.value()[0] || reach.value()[0] === "niet";
		never.hidden = (reachTouched ? reach.value()[0] : r?.reach) !== "niet";
	});
	const channel = chips({ legend: t("Where was it?"), name: "channel", items: list("channel"), chosen: [s.channel], onchange: touched });
	const whoCame = chips({ legend: t("Who came?"), name: "who", items: list("who"), chosen: [s.who], onchange: touched });
	const date = input("date", s.date || now().today, { type: "date", max: now().today });
	const circle = circles?.length > 1 && el("select", { name: "circle", onchange: touched }, circles.map((c) => el("option", { value: c }, c)));
	const box = errorBox();
	const save = el("button", { class: "first", type: "submit" }, shown ? t("Save") : t("Save conversation"));
	const refer = el("button", { type: "button" }, t("Save and refer"));
	const syncReach = () => { reachPart.hidden = person_.nick.value.trim() === ""; };

	dayField.hidden = s.follow_up !== "date";
	numberField.hidden = !s.reach || s.reach === "niet";
	if (circle && s.circle)
		circle.value = s.circle;
	person_.nick.addEventListener("input", syncReach);
	number.addEventListener("input", () => { reachTouched = true; });
	syncReach();

	const read = () => ({
		text: text.value, domains: about.value(), did: did.value(), resident: person_.nick.value.trim(), channel: channel.value()[0] ?? "",
		who: whoCame.value()[0] ?? "", date: date.value, follow_up: when.value()[0] ?? "", follow_up_date: day.value,
		reach: reachTouched ? reach.value()[0] ?? "" : "", number: reachTouched ? number.value : "",
		circle: circle ? circle.value : undefined, follows, token: start?.token ?? token, text_was: start?.text_was ?? was.text,
	});
	const kept = draft(name, read);

	// Only what differs from what was shown (M2).
	function changes() {
		const r = read();
		const body = { draft: name };

		for (const key of ["text", "domains", "did", "resident", "channel", "who"]) {
			if (shown ? !same(r[key], was[key]) : r[key].length > 0)
				body[key] = r[key];
		}
		if (r.date && r.date !== (shown ? was.date : now().today))
			body.date = r.date;
		if (r.follow_up === "date" ? r.follow_up_date : r.follow_up)
			body.follow_up = r.follow_up === "date" ? r.follow_up_date : r.follow_up;
		if (reachTouched && r.resident) {
			body.reach = r.reach;
			body.number = r.number;
		}
		if (shown)
			Object.assign(body, { id: shown.id, token: r.token, text_was: r.text_was });
		else
			Object.assign(body, { circle: r.circle, follows });
		return body;
	}
	async function store() {
		const body = changes();

		if (!shown && !body.text && !body.domains && !body.did && !body.resident) {
			const e = new Error(t("Write a few words, or choose what it was about."));

			e.empty = true;
			throw e;
		}
		return (await kept.save(() => ask("contact/save", body))).id;
	}
	const submit = press(save, box, async () => {
		await store();
		announce(t("Saved on this computer."));
		sessionStorage.setItem("said", t("Saved on this computer."));
		go("vandaag");
		await refresh();
	});
	refer.addEventListener("click", press(refer, box, async () => {
		const id = await store();

		await refresh();
		go("doorverwijzing/nieuw/" + id);
	}));
	const form = el("form", { onsubmit: submit, oninput: touched, novalidate: true },
		field(t("What is going on?"), text), about, did, when, dayField, never,
		el("details", { class: "fold", open: Boolean(s.resident) || undefined }, el("summary", {}, t("Name, number and more")),
			field(t("Name or nickname"), person_.nick, t("Not needed. Without a name is fine.")), person_.hint, reachPart,
			channel, whoCame, field(t("Day of the conversation"), date), circle && field(t("Circle"), circle)),
		box, el("div", { class: "actions" }, save, refer), kept.sign);

	beginDraft(form, submit, kept, start);
	main.append(form);
	return { focus: text, kept, form };
}

export async function showNew(main, random, follows) {
	const name = "contact/new/" + random;
	const [start, all] = await Promise.all([draftOf(name), ask("today")]);
	let earlier = null;

	if (follows)
		earlier = (await ask("contact/show", { id: follows })).contact;
	fill(main, el("h1", { tabindex: "-1" }, t("New conversation")),
		earlier && el("p", { class: "note" }, t("This follows the conversation of %1.", dateText(earlier.date)), " ", typed(firstWords(earlier.text))));
	const form = build(main, { start, name, follows, circles: all.circles });
	return { focus: form.focus, leave: async () => { if (form.kept) await leaveDraft(form.kept); } };
}

async function leaveDraft(kept) {
	await kept.flush().catch(() => {});
}

function referralItem(r) {
	return el("li", {}, el("p", {}, el("span", { class: "name" }, typed(r.service_name ?? "")), " ",
		el("span", { class: r.silent ? "tag warn" : "tag good" }, r.silent ? t("No answer yet") : label("status", r.status))),
	el("div", { class: "actions" }, el("a", { class: "button", href: "#/doorverwijzing/" + r.id }, t("Open"),
		el("span", { class: "away" }, " ", r.service_name ?? ""))));
}

export async function show(main, id) {
	const name = "contact/" + id;
	const [all, start, linked] = await Promise.all([ask("contact/show", { id }), draftOf(name), ask("referral/list", { contact: id })]);
	const c = all.contact;

	fill(main, el("h1", { tabindex: "-1" }, c.resident ? [t("Conversation with"), " ", typed(c.resident)] : t("Conversation")),
		el("p", { class: "when" }, dateText(c.date)),
		c.follow_up && el("p", {}, el("span", { class: c.follow_up_done ? "tag good" : "tag" },
			c.follow_up_done ? t("Called back") : t("Call back on %1", dateText(c.follow_up)))),
		versionsBox(c, "contact", () => show(main, id)),
		linked.referrals.length > 0 && el("section", {}, el("h2", {}, t("Referrals")), el("ul", { class: "cards" }, linked.referrals.map(referralItem))));
	const form = build(main, { shown: c, start, name, token: all.token });
	return { leave: async () => leaveDraft(form.kept) };
}
