// SPDX-License-Identifier: EUPL-1.2
// Eerste start: language and name, passphrase, recovery sheet, and with whom. Four steps, one question each.
import { ask } from "./api.js";
import { announce, el, fill, number } from "./dom.js";
import { errorBox, field, input, press, showButton } from "./form.js";
import { t } from "./lang.js";
import { languageChoice } from "./main.js";

const words = (text) => text.trim().split(/\s+/).filter((w) => w.length > 1);

// In words, not in a colour alone.
export function strength(text) {
	const n = words(text).length;

	if (text.length === 0)
		return "";
	if (text.length < 12 || (n < 3 && text.length < 20))
		return t("Too easy to guess. Take four words that do not belong together.");
	if (n < 4 && text.length < 24)
		return t("Reasonable. One more word makes it strong.");
	return t("Strong.");
}

function step(app, n, title, ...rest) {
	document.title = title + " · Sleutelbos";
	fill(app, el("main", { class: "alone" }, el("img", { class: "mark", src: "/a/icon.svg", alt: "" }),
		el("p", { class: "when" }, t("Step %1 of 4", n)), el("h1", { tabindex: "-1" }, title), rest));
	(app.querySelector("main input:not([type=hidden])") ?? app.querySelector("h1")).focus();
}

const refusal = () => errorBox({ before: null });

export function startScreen(app, opened) {
	const home = { nick: "" };

	function name() {
		const nick = input("nick", home.nick, { maxlength: 60 });
		const next = el("button", { class: "first", type: "submit" }, t("Next"));
		const box = refusal();

		step(app, 1, t("Welcome"), el("p", {}, t("Here you keep your conversations. They stay on this computer, locked.")),
			field(t("Language"), languageChoice(() => { home.nick = nick.value; name(); })),
			el("form", { onsubmit: press(next, box, async () => {
				home.nick = nick.value.trim();
				if (!home.nick)
					throw new Error(t("Type the name that others know you by."));
				phrase();
			}) }, field(t("What are you called?"), nick, t("This is the name that your circle sees. If several people use this computer, this home is yours alone.")), box,
			el("div", { class: "actions" }, next)));
	}

	function phrase() {
		const pass = el("input", { type: "password", name: "passphrase", autocomplete: "new-password", spellcheck: "false", dir: "auto" });
		const show = showButton(pass);
		const how = el("p", { class: "when", role: "status" });
		const next = el("button", { class: "first", type: "submit" }, t("Make my home"));
		const box = refusal();
		const wait = el("p", { class: "kept" });
		const place = el("input");

		pass.addEventListener("input", () => fill(how, strength(pass.value)));
		step(app, 2, t("Choose your passphrase"), el("p", {}, t("A long password of a few words. Only you know it, and nobody can give it back to you.")),
			el("form", { onsubmit: press(next, box, async () => {
				if (!pass.value)
					throw new Error(t("Type a few words."));
				fill(wait, t("Making your home. This takes a second."));
				try {
					await ask("begin", { nick: home.nick, passphrase: pass.value });
				} catch (e) {
					e.locked = false;
					throw e;
				} finally {
					fill(wait);
				}
				home.pass = pass.value;
				sheet();
			}) }, field(t("Your passphrase"), place, t("For example four words that make a picture for you.")), how, box, el("div", { class: "actions" }, next,
				el("button", { type: "button", onclick: name }, t("Back"))), wait));
		pass.id = place.id;
		pass.setAttribute("aria-describedby", place.getAttribute("aria-describedby"));
		place.replaceWith(el("div", { class: "pass" }, pass, show));
		pass.focus();
	}

	function sheet() {
		const make = el("button", { class: "first", type: "button" }, t("Make the sheet"));
		const place = el("div");
		const box = refusal();
		const next = el("button", { type: "button", onclick: () => { home.pass = ""; together(); } }, t("Next"));

		make.addEventListener("click", press(make, box, async () => {
			const s = await ask("sheet", { passphrase: home.pass });

			home.pass = "";
			make.hidden = true;
			fill(place, el("section", { class: "sheet" }, el("h2", {}, t("Recovery sheet %1", s.number)),
				el("p", {}, t("With these words you choose a new passphrase. Keep this paper where nobody looks.")),
				el("ol", { class: "words" }, s.words.map((w) => el("li", {}, number(w)))), el("p", { class: "when" }, s.day)),
			el("div", { class: "actions noprint" }, el("button", { class: "first", type: "button", onclick: () => window.print() }, t("Print")),
				el("span", {}, t("Or write the words down."))));
			announce(t("The sheet is ready."));
		}));
		step(app, 3, t("Paper for when you forget it"), el("p", { class: "noprint" }, t("A recovery sheet is sixteen words on paper. Without it a forgotten passphrase is the end.")), place, box,
			el("div", { class: "actions noprint" }, make, next));
	}

	function together() {
		const invitation = el("textarea", { name: "invitation", rows: 4, dir: "ltr", spellcheck: "false" });
		const use = el("button", { class: "first", type: "submit" }, t("Use this invitation"));
		const box = refusal();
		const alone = el("button", { type: "button" }, t("Start alone"));

		alone.addEventListener("click", press(alone, box, async () => { location.hash = "#/vandaag"; await opened(); }));
		step(app, 4, t("With whom?"), el("p", {}, t("You can work alone, and share later. With an invitation you come into a circle.")), el("div", { class: "actions" }, alone),
			el("hr"), el("form", { onsubmit: press(use, box, async () => {
				const j = await ask("join", { invitation: invitation.value.trim() });

				step(app, 4, t("Your request is out"), j.words && el("p", {}, t("Read these six words to whoever invited you:"), " ", el("strong", {}, number(j.words))),
					el("p", {}, t("You are in as soon as the other one has sent and fetched too.")),
					el("div", { class: "actions" }, el("button", { class: "first", type: "button", onclick: async () => { location.hash = "#/versturen"; await opened(); } }, t("Go on"))));
			}) }, field(t("Your invitation"), invitation, t("Paste it whole.")), box, el("div", { class: "actions" }, use)));
		alone.focus();
	}

	name();
}


