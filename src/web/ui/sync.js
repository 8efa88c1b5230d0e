// SPDX-License-Identifier: EUPL-1.2
// Versturen en ophalen: one button, words and numbers while it goes, and what needs a person. Nothing is called sent but
// what the other side was seen to hold (S2).
import { ask } from "./api.js";
import { announce, el, fill, typed } from "./dom.js";
import { press } from "./form.js";
import { age, many, t } from "./lang.js";
import { now, refresh } from "./main.js";

function counts(s) {
	const of = [];

	if (s.sent > 0)
		of.push(many(s.sent, "1 change sent.", "%1 changes sent."));
	if (s.new > 0)
		of.push(many(s.new, "1 new thing came in.", "%1 new things came in."));
	if (s.changed > 0)
		of.push(many(s.changed, "1 thing was changed by others.", "%1 things were changed by others."));
	if (s.two_versions > 0)
		of.push(many(s.two_versions, "1 thing has two versions now.", "%1 things have two versions now."));
	if (s.set_aside > 0)
		of.push(many(s.set_aside, "1 file was set aside.", "%1 files were set aside."));
	return of;
}

function outcome(state) {
	const s = state.sync;
	const of = counts(s);

	if (s.wish === "running")
		return el("div", { class: "note" }, el("p", {}, el("strong", {}, t("Sending and fetching. You can go on working."))),
			s.received > 0 && el("p", {}, many(s.received, "1 file came in so far.", "%1 files came in so far.")), of.map((x) => el("p", {}, x)));
	if (!s.at)
		return null;
	if (s.result === "done")
		return el("div", { class: "note" }, el("p", {}, el("strong", {}, t("It came through, %1.", age(s.at)))),
			of.length ? of.map((x) => el("p", {}, x)) : el("p", {}, t("There was nothing new.")), s.notice && el("p", {}, s.notice));
	return el("div", { class: "note warn" }, el("p", {}, el("strong", {}, s.wish === "again" ? t("Not through yet. Nothing is lost.") : t("This needs a person."))),
		s.why && el("p", {}, s.why), s.notice && el("p", {}, s.notice), of.map((x) => el("p", {}, x)),
		s.wish === "again" && el("p", {}, t("It is tried again by itself, as soon as there is a network.")));
}

export async function show(main) {
	const button = el("button", { class: "big", type: "button" }, t("Send and fetch"));
	const standing = el("div");
	const result = el("div", { role: "status" });
	const rest = el("div");
	let timer = 0;

	function paint() {
		const s = now();

		fill(standing, el("dl", { class: "facts" },
			el("div", {}, el("dt", {}, t("Saved on this computer")), el("dd", {}, t("Everything"))),
			el("div", { class: s.unsent === 0 && s.neighbourhood ? "yes" : null }, el("dt", {}, t("Not sent yet")), el("dd", {}, String(s.unsent))),
			el("div", {}, el("dt", {}, t("Last time it came through")), el("dd", {}, s.last_success ? age(s.last_success) : t("Never")))));
		if (s.neighbourhood && s.days_since > 7)
			standing.append(el("p", { class: "note warn" }, t("More than a week ago.")));
		fill(result, s.neighbourhood ? outcome(s) : el("p", { class: "note" }, t("You work alone now. With an invitation you can share with a circle. What you write is kept on this computer.")));
	}
	async function list() {
		const s = await ask("status");

		fill(rest,
			s.set_aside.length > 0 && el("section", { class: "part" }, el("h2", {}, t("Set aside")),
				el("p", {}, t("These files could not be checked. They are kept, and nothing waits for them.")),
				el("ul", { class: "cards" }, s.set_aside.map((a) => el("li", {}, el("p", {}, typed(a.what)), el("p", { class: "when" }, a.why ?? ""))))),
			now().sync.two_versions > 0 && el("p", {}, el("a", { class: "button", href: "#/versies" }, t("Look at two versions"))),
			now().asking > 0 && el("p", { class: "note" }, many(now().asking, "1 person wants to come in.", "%1 people want to come in."), " ", el("a", { href: "#/kring" }, t("Look"))),
			el("section", { class: "part" }, el("h2", {}, t("With whom")), el("p", {}, el("a", { class: "button", href: "#/kring" }, t("Members and invitations"))),
				el("ul", { class: "cards" }, s.spaces.map((x) => el("li", {}, el("p", {}, el("span", { class: "name" }, x.kind === "own" ? t("Only you") : typed(x.name))),
					el("p", { class: "when" }, x.coming_in ? t("Still coming in.") : many(x.devices, "1 device", "%1 devices"), x.unsent > 0 ? [" · ", many(x.unsent, "1 change not sent", "%1 changes not sent")] : ""))))));
	}
	async function watch() {
		clearTimeout(timer);
		await refresh();
		if (!main.isConnected || now()?.locked)
			return;
		paint();
		if (now().sync.wish === "running") {
			timer = setTimeout(watch, 400);
		} else {
			announce(result.textContent);
			await list().catch(() => {});
		}
	}
	button.addEventListener("click", press(button, null, async () => {
		await ask("sync");
		await watch();
	}));
	fill(main, el("h1", { tabindex: "-1" }, t("Send and fetch")), standing, button, result, rest);
	await refresh();
	paint();
	await list();
	if (now().sync.wish === "running")
		timer = setTimeout(watch, 400);
	return { leave: async () => clearTimeout(timer) };
}
