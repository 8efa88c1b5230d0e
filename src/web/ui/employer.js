// SPDX-License-Identifier: EUPL-1.2
// Dit kan je werkgever niet zien: one page that can be shown to anybody.
import { el, fill } from "./dom.js";
import { t } from "./lang.js";

export function show(main) {
	fill(main, el("h1", { tabindex: "-1" }, t("Your employer cannot see this")),
		el("p", {}, t("What you write here is locked with your passphrase. Nobody else has it.")),
		el("h2", {}, t("Your employer, the municipality and the host never see:")),
		el("ul", {}, el("li", {}, t("whom you talk with, and what about")), el("li", {}, t("how many conversations you have")),
			el("li", {}, t("when you work, and where")), el("li", {}, t("whom you refer, and what came of it"))),
		el("h2", {}, t("Who does see it")),
		el("ul", {}, el("li", {}, t("you, with your passphrase")), el("li", {}, t("the members of your circle, whom you chose"))),
		el("h2", {}, t("What they can notice")),
		el("ul", {}, el("li", {}, t("Whoever runs the storage sees when something was sent, and about how much. Not what.")),
			el("li", {}, t("The neighbourhood gets totals, without names, and only if your circle agrees."))),
		el("h2", {}, t("If your computer is stolen")),
		el("p", {}, t("Without your passphrase nobody can read it. So lock it when you walk away.")));
}
