// SPDX-License-Identifier: EUPL-1.2
// Instellingen: language, when it locks, closing.
import { ask } from "./api.js";
import { announce, el, fill } from "./dom.js";
import { chips, field, press } from "./form.js";
import { many, t } from "./lang.js";
import { languageChoice, now, refresh } from "./main.js";

export async function show(main) {
	const minutes = [2, 5, 10, 20, 60];
	const close = el("button", { type: "button" }, t("Close Sleutelbos"));

	close.addEventListener("click", press(close, null, async () => {
		await ask("quit");
		fill(document.getElementById("app"), el("main", { class: "alone" }, el("h1", { tabindex: "-1" }, t("Sleutelbos is closed")),
			el("p", {}, t("You can close this tab. Everything is kept."))));
		document.querySelector("h1").focus();
	}));
	fill(main, el("h1", { tabindex: "-1" }, t("Settings")),
		field(t("Language"), languageChoice(() => location.reload())),
		chips({ legend: t("Lock by itself"), name: "lock_minutes", chosen: [String(now().lock_minutes)],
			hint: t("When you do nothing for so long. What you were typing is kept."),
			items: minutes.map((n) => ({ id: String(n), label: many(n, "after 1 minute", "after %1 minutes") })),
			onchange: async ([v]) => {
				if (!v)
					return;
				await ask("settings/put", { lock_minutes: Number(v) }).catch(() => {});
				await refresh();
				announce(t("Saved on this computer."));
			} }),
		el("section", { class: "part" }, el("h2", {}, t("Stop for today")), el("p", {}, t("This locks everything and ends the program.")), close));
}
