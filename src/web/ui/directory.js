// SPDX-License-Identifier: EUPL-1.2
// Wegwijzer: search while typing; how long ago somebody looked, in word and colour; still right or wrong in one tap.
// Residents' initiatives stand among the others.
import { ask } from "./api.js";
import { announce, el, fill, number, typed } from "./dom.js";
import { chips, field, input, press } from "./form.js";
import { dayAge, many, t } from "./lang.js";
import { now } from "./main.js";
import { label, list } from "./words.js";

function ageTag(s) {
	if (s.wrong)
		return el("span", { class: "tag warn" }, t("Somebody says: wrong"));
	if (!s.checked_on)
		return el("span", { class: "tag warn" }, t("Never checked"));
	const words = { fresh: t("Checked %1", dayAge(s.checked_on, now().today)), old: t("Old: checked %1", dayAge(s.checked_on, now().today)), very_old: t("Very old: checked %1", dayAge(s.checked_on, now().today)) };

	return el("span", { class: s.age === "fresh" ? "tag good" : "tag warn" }, words[s.age] ?? words.very_old);
}

const isFree = (s) => /^(gratis|geen|free|0|none|kosteloos)/i.test((s.cost ?? "").trim());

function entry(s, again) {
	const right = el("button", { type: "button" }, t("Still right"));
	const wrong = el("button", { type: "button", "aria-expanded": "false" }, t("Not right"));
	const what = input("wrong", "", { maxlength: 300 });
	const send = el("button", { class: "first", type: "submit" }, t("Save"));
	const line = (name, text, plain) => text && el("p", {}, el("strong", {}, name), " ", plain ?? typed(text));
	const form = el("form", { hidden: true, class: "card", onsubmit: press(send, null, async () => {
		await ask("service/check", { id: s.id, wrong: what.value.trim() || "?" });
		announce(t("Noted."));
		await again();
	}) }, field(t("What is not right?"), what), el("div", { class: "actions" }, send));

	right.addEventListener("click", press(right, null, async () => {
		await ask("service/check", { id: s.id });
		announce(t("Noted."));
		await again();
	}));
	wrong.addEventListener("click", () => {
		form.hidden = !form.hidden;
		wrong.setAttribute("aria-expanded", String(!form.hidden));
		if (!form.hidden)
			what.focus();
	});
	return el("li", {}, el("p", {}, el("span", { class: "name" }, typed(s.name)), " ", ageTag(s)),
		el("p", { class: "when" }, s.organisation ? [typed(s.organisation), " · "] : "", label("group", s.group ?? "anders")),
		s.wrong && s.wrong !== "?" && el("p", { class: "note warn" }, typed(s.wrong)),
		s.description && el("p", {}, typed(s.description)),
		el("details", {}, el("summary", {}, t("More"), el("span", { class: "away" }, " ", s.name)), line(t("For whom:"), s.eligibility), line(t("Bring along:"), s.documents), line(t("How to apply:"), s.application), line(t("Open:"), s.hours),
			line(t("Address:"), s.address), line(t("Cost:"), s.cost), line(t("Languages:"), s.languages.join(", ")), line(t("Website:"), s.website), line(t("Note among us:"), s.note)),
		el("div", { class: "actions" }, s.phone && el("a", { class: "button", href: "tel:" + s.phone.replace(/[^+0-9]/g, "") }, t("Call"), " ", number(s.phone)), right, wrong), form);
}

export async function show(main) {
	const box = input("words", "", { type: "search" });
	const group = el("select", { name: "group" }, el("option", { value: "" }, t("All kinds")), list("group").map((g) => el("option", { value: g.id }, g.label)));
	const language = input("language", "", { maxlength: 30 });
	const found = el("ul", { class: "cards" });
	const count = el("p", { role: "status", class: "when" });
	const only = chips({ legend: t("Only"), name: "only", several: true, items: [{ id: "free", label: t("Free of charge") }, { id: "checked", label: t("Checked lately") }, { id: "initiative", label: t("Residents' initiatives") }], onchange: () => look() });
	let asked = 0;

	async function look() {
		const mine = ++asked;
		const all = (await ask("service/list", { words: box.value })).services;
		const wants = only.value();
		const said = language.value.trim().toLowerCase();

		if (mine !== asked)
			return;
		const some = all.filter((s) => (!group.value || s.group === group.value) && (!wants.includes("free") || isFree(s)) && (!wants.includes("checked") || (s.age === "fresh" && !s.wrong))
			&& (!wants.includes("initiative") || s.kind === "initiative") && (!said || s.languages.some((l) => l.toLowerCase().startsWith(said))));
		fill(count, many(some.length, "1 found", "%1 found"));
		fill(found, some.slice(0, 60).map((s) => entry(s, look)));
	}
	box.addEventListener("input", look);
	language.addEventListener("input", look);
	group.addEventListener("change", look);
	fill(main, el("h1", { tabindex: "-1" }, t("Directory")), field(t("What do you look for?"), box),
		el("div", { class: "two" }, field(t("Kind of organisation"), group), field(t("Speaks"), language, t("For example: nl, ar, tr."))), only, count, found);
	await look();
	return { focus: box };
}
