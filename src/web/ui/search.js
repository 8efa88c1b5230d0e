// SPDX-License-Identifier: EUPL-1.2
// Zoeken: one box over everything, results while typing.
import { ask } from "./api.js";
import { el, fill, typed } from "./dom.js";
import { field, input } from "./form.js";
import { dateText, many, t } from "./lang.js";

export async function show(main) {
	const box = input("words", sessionStorage.getItem("words") || "", { type: "search" });
	const found = el("ul", { class: "cards" });
	const count = el("p", { role: "status", class: "when" });
	const kinds = { contact: t("Conversation"), referral: t("Referral"), resident: t("Resident"), service: t("Organisation") };
	const link = { contact: "gesprek", referral: "doorverwijzing" };
	let asked = 0;

	async function look() {
		const mine = ++asked;
		const words = box.value;

		sessionStorage.setItem("words", words);
		const all = (await ask("search", { words }).catch(() => ({ found: [] }))).found;
		if (mine !== asked)
			return;
		fill(count, words.trim() ? many(all.length, "1 found", "%1 found") : "");
		fill(found, all.map((f) => el("li", {},
			el("p", {}, link[f.kind] ? el("a", { class: "name", href: "#/" + link[f.kind] + "/" + f.id }, kinds[f.kind]) : el("span", { class: "name" }, kinds[f.kind] ?? f.kind),
				" ", f.date && el("span", { class: "when" }, dateText(f.date))),
			el("p", {}, typed(f.snippet ?? "")))));
	}
	box.addEventListener("input", look);
	fill(main, el("h1", { tabindex: "-1" }, t("Search")), field(t("Search in everything of yours"), box), count, found);
	if (box.value)
		await look();
	return { focus: box };
}
