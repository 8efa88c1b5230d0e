// SPDX-License-Identifier: EUPL-1.2
// Vandaag: whom do I still have to call, who does not answer, what waits for me. Follow-up is the main job.
import { ask } from "./api.js";
import { announce, el, fill, number, typed } from "./dom.js";
import { press } from "./form.js";
import { age, dateText, dayAge, dayDistance, many, t } from "./lang.js";
import { go, newTalk, refresh } from "./main.js";
import { firstWords, label } from "./words.js";

function who(c) {
	return c.resident ? typed(c.resident) : t("Someone without a name");
}

function due(iso, today) {
	const days = dayDistance(iso, today);

	if (days === 0)
		return el("span", { class: "tag good" }, t("Today"));
	return el("span", { class: days < 0 ? "tag warn" : "tag" }, days < 0 ? t("Late: %1", dayAge(iso, today)) : dayAge(iso, today));
}

// One tap to call; who cannot be called is told how.
function reach(r) {
	if (!r)
		return null;
	if (r.reach === "telefoon" && r.number)
		return el("a", { class: "button", href: "tel:" + r.number.replace(/[^+0-9]/g, "") }, t("Call"), " ", number(r.number));
	if (r.reach || r.number)
		return el("span", {}, label("reach", r.reach ?? "anders"), r.number ? [" ", number(r.number)] : "");
	return null;
}

function followUp(c, all, again) {
	const r = all.residents.find((x) => x.id === c.resident_id);
	const done = el("button", { class: "first", type: "button" }, t("Done"));
	const week = el("button", { type: "button" }, t("In a week"));
	const set = (value, said) => async () => {
		await ask("contact/followed", { id: c.id, follow_up: value });
		announce(said);
		await again();
	};

	done.addEventListener("click", press(done, null, set("done", t("Noted as done."))));
	week.addEventListener("click", press(week, null, set("+1w", t("Comes back in a week."))));
	return el("li", {},
		el("p", {}, el("span", { class: "name" }, who(c)), " ", due(c.follow_up, all.today.date)),
		c.text && el("p", {}, typed(firstWords(c.text))),
		el("p", { class: "when" }, t("Conversation of %1", dateText(c.date))),
		el("div", { class: "actions" }, reach(r), done, week,
			el("button", { type: "button", onclick: () => newTalk(c.id) }, t("New conversation")),
			el("a", { class: "button quiet", href: "#/gesprek/" + c.id }, t("Open"), el("span", { class: "away" }, " ", c.resident ?? ""))));
}

function waiting(r, all, why) {
	return el("li", {},
		el("p", {}, el("span", { class: "name" }, typed(r.service_name || "")), " ", el("span", { class: "tag warn" }, why)),
		r.resident && el("p", {}, typed(r.resident)),
		el("p", { class: "when" }, label("domain", r.domain), " · ", t("Sent %1", dayAge(r.date, all.today.date))),
		el("div", { class: "actions" }, el("a", { class: "button", href: "#/doorverwijzing/" + r.id }, t("What came of it?"),
			el("span", { class: "away" }, " ", r.service_name ?? ""))));
}

function part(title, items) {
	const id = "p" + Math.random().toString(36).slice(2);

	return items.length > 0 && el("section", { class: "part", "aria-labelledby": id },
		el("h2", { id }, title, " ", el("span", { class: "count" }, String(items.length))), el("ul", { class: "cards" }, items));
}

function draftItem(d, again) {
	let v = {};
	let where = null;
	const name = d.name.split("/");
	try {
		v = JSON.parse(d.value);
	} catch { /* shown without its words */ }
	if (name[0] === "contact")
		where = name[1] === "new" ? "gesprek/nieuw/" + name[2] + (v.follows ? "/volgt/" + v.follows : "") : "gesprek/" + name[1];
	else
		where = name[1] === "new" ? "doorverwijzing/nieuw/" + name[2] : "doorverwijzing/" + name[1];
	const drop = el("button", { class: "quiet", type: "button" }, t("Throw away"));
	drop.addEventListener("click", press(drop, null, async () => {
		if (drop.dataset.sure !== "1") {
			drop.dataset.sure = "1";
			drop.textContent = t("Throw away, for good?");
			return;
		}
		await ask("draft/drop", { name: d.name });
		await again();
	}));
	return el("li", {},
		el("p", {}, el("span", { class: "name" }, name[0] === "contact" ? t("Conversation") : t("Referral")), " ",
			el("span", { class: "tag" }, t("Begun %1", age(d.at)))),
		(v.text || v.service_name) && el("p", {}, typed(firstWords(v.text || v.service_name))),
		el("div", { class: "actions" }, el("a", { class: "button", href: "#/" + where }, t("Go on with it")), drop));
}

export async function show(main) {
	async function paint() {
		const [all, drafts] = await Promise.all([ask("today"), ask("draft/list", { name: "" })]);
		const d = all.today;
		const begin = el("button", { class: "big", type: "button", onclick: () => newTalk() },
			el("span", { class: "plus", "aria-hidden": "true" }, "+"), t("New conversation"));
		const nothing = d.follow_ups.length + d.silent.length + d.plans.length + d.two_versions + d.set_aside + drafts.drafts.length === 0;

		const said = sessionStorage.getItem("said");
		sessionStorage.removeItem("said");
		fill(main, said && el("p", { class: "done" }, "✓ ", said), el("h1", { tabindex: "-1" }, t("Today"), " ", el("span", { class: "when" }, dateText(d.date))), begin,
			part(t("Who do I still have to call?"), d.follow_ups.map((c) => followUp(c, all, again))),
			part(t("Not finished"), drafts.drafts.map((x) => draftItem(x, again))),
			part(t("No answer yet"), d.silent.map((r) => waiting(r, all, t("Silent since %1", dateText(r.since))))),
			part(t("Still to send"), d.plans.map((r) => waiting(r, all, t("Planned for %1", dateText(r.date))))),
			d.two_versions > 0 && el("section", { class: "part" }, el("h2", {}, t("Two versions")),
				el("p", {}, many(d.two_versions, "1 record was changed on two devices. You choose.", "%1 records were changed on two devices. You choose.")),
				el("a", { class: "button", href: "#/versies" }, t("Look and choose"))),
			d.set_aside > 0 && el("section", { class: "part" }, el("h2", {}, t("Set aside")),
				el("p", {}, many(d.set_aside, "1 file could not be checked. The rest goes on.", "%1 files could not be checked. The rest goes on.")),
				el("a", { class: "button", href: "#/versturen" }, t("Look"))),
			nothing && el("p", { class: "part empty" }, t("Nobody to call today. Nothing waits for you.")));
		return begin;
	}
	async function again() {
		await paint();
		main.querySelector("h1").focus();
		await refresh();
	}
	const onSynced = () => { if (main.isConnected) paint().catch(() => {}); };

	window.addEventListener("synced", onSynced);
	await paint();
	return { leave: async () => window.removeEventListener("synced", onSynced) };
}

export { go };
