// SPDX-License-Identifier: EUPL-1.2
// Strook: type a code, tap what came back.
import { ask } from "./api.js";
import { el, fill, typed } from "./dom.js";
import { errorBox, field, input, press } from "./form.js";
import { t } from "./lang.js";
import { statusForm } from "./referral.js";
import { go } from "./main.js";

export async function show(main) {
	const code = input("code", "", { dir: "ltr", maxlength: 12, autocapitalize: "characters", spellcheck: "false" });
	const look = el("button", { class: "first", type: "submit" }, t("Look it up"));
	const box = errorBox({ before: null });
	const place = el("div");

	fill(main, el("h1", { tabindex: "-1" }, t("Slip")),
		el("form", { onsubmit: press(look, box, async () => {
			fill(place);
			const r = (await ask("referral/show", { id: code.value.trim() || "-" })).referral;

			fill(place, el("h2", { tabindex: "-1" }, typed(r.service_name ?? "")), r.resident && el("p", {}, typed(r.resident)),
				statusForm(r, async () => go("doorverwijzing/" + r.id)));
			place.querySelector("h2").focus();
		}) }, field(t("Code on the slip"), code, t("Seven letters and numbers.")), box, el("div", { class: "actions" }, look)), place);
	return { focus: code };
}
