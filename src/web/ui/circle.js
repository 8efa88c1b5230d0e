// SPDX-License-Identifier: EUPL-1.2
// Kring: who is in it, an invitation with its square, letting somebody in by six words, removing.
import { ask } from "./api.js";
import { announce, el, fill, number, typed } from "./dom.js";
import { errorBox, field, press } from "./form.js";
import { many, t } from "./lang.js";
import { label } from "./words.js";

// Opens under a button: the passphrase once more, then the deed.
function guarded(text, deed, done, kind = "") {
	const open = el("button", { type: "button", class: kind, "aria-expanded": "false" }, text);
	const pass = el("input", { type: "password", name: "passphrase", autocomplete: "current-password", dir: "auto" });
	const go = el("button", { class: "first", type: "submit" }, text);
	const box = errorBox({ before: null, focus: () => { pass.value = ""; pass.focus(); } });
	const form = el("form", { hidden: true, class: "card" }, field(t("Your passphrase, once more"), pass), box, el("div", { class: "actions" }, go));

	open.addEventListener("click", () => {
		form.hidden = !form.hidden;
		open.setAttribute("aria-expanded", String(!form.hidden));
		if (!form.hidden)
			pass.focus();
	});
	form.addEventListener("submit", press(go, box, async () => {
		const passphrase = pass.value;

		pass.value = "";
		await done(await deed(passphrase));
	}));
	return [open, form];
}

const roles = (m) => m.role.split(",").map((r) => label("role", r.trim())).join(", ");

export async function show(main) {
	const list = (await ask("members")).members;
	const again = async () => { await show(main); main.querySelector("h1").focus(); };
	const spaces = [...new Set(list.map((m) => m.space).filter(Boolean))];
	const requests = list.filter((m) => m.status === "requested" && !m.me);
	const states = { member: null, resting: t("Not seen for a long time"), removed: t("Removed"), requested: t("Wants to come in") };
	const space = el("select", { name: "space" }, spaces.map((s) => el("option", { value: s }, s)));
	const out = el("div", { role: "status" });
	const invited = async (v) => {
		fill(out, el("section", { class: "sheet" }, el("h2", {}, t("Invitation to %1", v.space)),
			v.qr && el("img", { alt: t("The invitation as a square"), src: "data:image/svg+xml," + encodeURIComponent(v.qr), width: 280, height: 280 }),
			el("p", {}, t("Good for one person, until %1.", v.expires)),
			field(t("The invitation as text"), (() => { const a = el("textarea", { rows: 5, readonly: true, dir: "ltr" }); a.value = v.invitation; return a; })())),
		el("div", { class: "actions noprint" }, el("button", { type: "button", onclick: () => window.print() }, t("Print"))));
		announce(t("The invitation is ready."));
	};

	fill(main, el("div", { class: "noprint" }, el("h1", { tabindex: "-1" }, t("Circle")),
		requests.map((m) => el("section", { class: "note" }, el("h2", {}, typed(m.name || "?"), " ", t("wants to come in")),
			el("p", {}, typed(m.space ?? "")), el("p", {}, t("Let the other one read six words to you. Are they these?"), el("br"), el("strong", {}, number(m.fingerprint))),
			el("div", { class: "actions" }, guarded(t("The words agree: let in"), (passphrase) => ask("approve", { id: m.id, passphrase }), async () => { announce(t("Let in. Send and fetch now.")); await again(); }, "first"),
				guarded(t("Turn down"), (passphrase) => ask("decline", { id: m.id, passphrase }), again)))),
		spaces.length === 0 ? el("p", { class: "empty" }, t("You work alone now. With an invitation you come into a circle.")) : null,
		spaces.map((s) => el("section", { class: "part" }, el("h2", {}, typed(s)),
			el("ul", { class: "cards" }, list.filter((m) => m.space === s && m.status !== "requested").map((m) => el("li", {},
				el("p", {}, el("span", { class: "name" }, typed(m.name || "?")), " ", m.me && el("span", { class: "tag good" }, t("you")), " ", states[m.status] && el("span", { class: "tag warn" }, states[m.status])),
				el("p", { class: "when" }, roles(m), " · ", many(m.devices.length, "1 device", "%1 devices")),
				!m.me && m.status !== "removed" && el("div", { class: "actions" }, guarded(t("Remove from this circle"), (passphrase) => ask("member/remove", { id: m.id, passphrase }), again, "quiet"))))))),
		spaces.length > 0 && el("section", { class: "part" }, el("h2", {}, t("Invite somebody")), spaces.length > 1 && field(t("To what?"), space),
			el("p", {}, t("Give an invitation in person, to one person.")),
			el("div", { class: "actions" }, guarded(t("Make an invitation"), (passphrase) => ask("invite", { space: space.value, passphrase }), invited)))), out);
}
