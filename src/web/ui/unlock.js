// SPDX-License-Identifier: EUPL-1.2
// The door: the passphrase (paste allowed, can be shown), and what stands here when a browser has no token.
import { ask } from "./api.js";
import { el, fill } from "./dom.js";
import { errorBox, field, press, showButton } from "./form.js";
import { t } from "./lang.js";
import { languageChoice } from "./main.js";
import * as employer from "./employer.js";

export function lockedScreen(app, opened) {
	const pass = el("input", { type: "password", name: "passphrase", autocomplete: "current-password", spellcheck: "false", dir: "auto" });
	const show = showButton(pass);
	const open = el("button", { class: "first", type: "submit" }, t("Open"));
	const box = errorBox({ before: null, focus: () => { pass.select(); pass.focus(); } });
	const wait = el("p", { class: "kept" });
	const quit = el("button", { class: "quiet", type: "button" }, t("Close Sleutelbos"));

	box.id = "why";
	const submit = press(open, box, async () => {
		fill(wait, t("Opening. This takes a second."));
		try {
			await ask("unlock", { passphrase: pass.value });
			pass.value = "";
			await opened();
		} catch (e) {
			e.locked = false; // here it is the answer
			throw e;
		} finally {
			fill(wait);
		}
	});
	quit.addEventListener("click", async () => {
		await ask("quit").catch(() => {});
		fill(app, el("main", { class: "alone" }, el("h1", { tabindex: "-1" }, t("Sleutelbos is closed")),
			el("p", {}, t("You can close this tab. Everything is kept."))));
		app.querySelector("h1").focus();
	});
	const form = el("form", { onsubmit: submit }, field(t("Your passphrase"), el("input"), t("A long password of a few words.")), box,
		el("div", { class: "actions" }, open), wait);
	const place = form.querySelector("input");
	pass.id = place.id;
	pass.setAttribute("aria-describedby", place.getAttribute("aria-describedby") + " why");
	place.replaceWith(el("div", { class: "pass" }, pass, show));
	const about = el("a", { href: "#" }, t("Your employer cannot see this"));
	about.addEventListener("click", (e) => {
		const main = el("main", {});

		e.preventDefault();
		employer.show(main);
		main.append(el("button", { type: "button", onclick: () => lockedScreen(app, opened) }, t("Back")));
		fill(app, main);
		main.querySelector("h1").focus();
	});
	document.title = t("Locked") + " · Sleutelbos";
	fill(app, el("main", { class: "alone" }, el("img", { class: "mark", src: "/a/icon.svg", alt: "" }),
		el("h1", { tabindex: "-1" }, t("Sleutelbos is locked")), form, el("hr", {}), field(t("Language"), languageChoice(() => lockedScreen(app, opened))),
		el("p", {}, about), quit));
	pass.focus();
}

export function outsideScreen(app) {
	document.title = "Sleutelbos";
	fill(app, el("main", { class: "alone" }, el("h1", { tabindex: "-1" }, t("Start Sleutelbos again")),
		el("p", {}, t("This tab is from an earlier time. Close it, and start Sleutelbos on your computer.")),
		el("p", {}, t("What you saved is kept."))));
	app.querySelector("h1").focus();
}
