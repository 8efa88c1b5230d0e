// SPDX-License-Identifier: EUPL-1.2
// The letter and its slip, on paper: in Dutch for whoever receives it and in the language of the resident beside it. What
// it is about does not stand on it, so that nobody reads it over a shoulder; the resident tells it.
import { ask } from "./api.js";
import { el, fill, number, typed } from "./dom.js";
import { chips, field, input } from "./form.js";
import { dateText, isRtl, lang, languages, langName, loadLang, msg, t, tIn } from "./lang.js";

const boxes = [msg("We take it on"), msg("There is an appointment"), msg("On the waiting list"), msg("The resident got help"),
	msg("It did not work"), msg("Sent on to:")];

// One sentence in Dutch, and beside it in the other language.
function pair(other, tag, id, ...args) {
	const one = (l) => el(tag, { lang: l, dir: isRtl(l) ? "rtl" : "ltr" }, tIn(l, id, ...args));

	return el("div", { class: other === "nl" ? "pair single" : "pair" }, one("nl"), other !== "nl" && one(other));
}

// Short words stand one after the other.
function both(other, id) {
	const nl = tIn("nl", id);

	return [el("span", { lang: "nl", dir: "ltr" }, nl), other !== "nl" && [" / ", el("span", { lang: other, dir: isRtl(other) ? "rtl" : "ltr" }, tIn(other, id))]];
}

function sheet(r, { other, size, whoami, note }) {
	return el("article", { class: "sheet " + size, lang: "nl", dir: "ltr" },
		el("p", { class: "when" }, new Date().toLocaleDateString("nl", { day: "numeric", month: "long", year: "numeric" })),
		el("h2", {}, tIn("nl", msg("To: %1"), r.service_name ?? "")),
		pair(other, "p", msg("Dear reader,")),
		pair(other, "p", msg("The person who brings you this letter asks you for help. I am a resident of this neighbourhood, and I helped to find you.")),
		pair(other, "p", msg("Please talk with this person, and tick one box on the slip below. Then we both know how it goes on.")),
		note && el("p", {}, typed(note)),
		pair(other, "p", msg("You may keep this letter. You decide yourself what you tell.")),
		el("div", { class: "sign" }, [msg("Resident"), msg("Key figure"), msg("Receiver")].map((x, i) => el("div", {}, both(other, x), i === 1 && whoami ? [el("br"), typed(whoami)] : ""))),
		el("section", { class: "tear" },
			el("h3", {}, both(other, msg("Answer slip"))),
			el("p", {}, both(other, msg("Code:")), " ", el("span", { class: "code" }, number(r.code))),
			pair(other, "p", msg("Tick one box and give the slip back, or read out the code.")),
			el("ul", { class: "boxes" }, boxes.map((b) => el("li", {}, el("span", {}, both(other, b)))))));
}

export async function show(main, id) {
	const r = (await ask("referral/show", { id })).referral;
	const place = el("div");
	const state = { other: lang() === "nl" ? "nl" : lang(), size: "a4", whoami: "", note: "" };
	const paint = () => fill(place, sheet(r, state));
	const name = input("whoami", "", { maxlength: 80 });
	const note = input("note", "", { maxlength: 300 });
	const other = el("select", { name: "letter_lang" }, languages.map((l) => el("option", { value: l }, l === "nl" ? t("Dutch only") : langName(l))));
	const size = chips({ legend: t("Paper"), name: "paper", chosen: ["a4"], items: [{ id: "a4", label: t("A4, whole sheet") }, { id: "a5", label: t("A5, half a sheet") }],
		onchange: ([v]) => { state.size = v || "a4"; paint(); } });

	await Promise.all(languages.map(loadLang));
	other.value = state.other;
	other.addEventListener("change", () => { state.other = other.value; paint(); });
	name.addEventListener("input", () => { state.whoami = name.value; paint(); });
	note.addEventListener("input", () => { state.note = note.value; paint(); });
	fill(main, el("div", { class: "noprint" }, el("h1", { tabindex: "-1" }, t("Letter and slip")),
		r.kind === "brief" || r.consent === "schriftelijk" ? null
			: el("p", { class: "note warn" }, t("The resident signs this letter. Then note that consent is in writing.")),
		el("div", { class: "two" }, field(t("Second language"), other), field(t("Your name under the letter"), name), field(t("A sentence of your own"), note, t("Only what the resident wants to share."))),
		size,
		el("div", { class: "actions" }, el("button", { class: "first", type: "button", onclick: () => window.print() }, t("Print")),
			el("a", { class: "button", href: "#/doorverwijzing/" + r.id }, t("Back to the referral"))), el("hr")), place);
	paint();
}

export { dateText };
