// SPDX-License-Identifier: EUPL-1.2
// Twee versies: side by side, who and when, one tap. Nothing is decided by accident: nothing is chosen beforehand.
import { ask } from "./api.js";
import { announce, el, fill, typed } from "./dom.js";
import { press } from "./form.js";
import { age, msg, t } from "./lang.js";
import { refresh } from "./main.js";
import { label, list } from "./words.js";

const names = {
	text: msg("Text"), date: msg("Date"), channel: msg("Where was it?"), who: msg("Who came?"), resident: msg("Resident"), follow_up: msg("Follow-up"),
	follow_up_done: msg("Follow-up done"), service: msg("Organisation"), service_name: msg("Organisation"), group: msg("Kind of organisation"), kind: msg("How do you refer?"), domain: msg("What is it about?"),
	consent: msg("Does the resident agree?"), consent_what: msg("What may you share?"), consent_until: msg("Until when?"), changed: msg("What has changed?"), nick: msg("Name"), reach: msg("How to reach"), number: msg("Number"), language: msg("Language"), note: msg("Note"),
};
const lists = { channel: "channel", who: "who", group: "group", kind: "kind", domain: "domain", consent: "consent", changed: "changed", reach: "reach" };

function valueText(field, value) {
	if (value === null || value === "")
		return t("(empty)");
	const all = Array.isArray(value) ? value : [value];

	return all.map((v) => lists[field] && list(lists[field]).some((i) => i.id === v) ? label(lists[field], v) : v).join(" / ");
}

function fieldBox(id, f, again) {
	const pick = (button, keep) => press(button, null, async () => {
		await ask("versions/pick", { id, field: f.field, keep });
		announce(t("Chosen."));
		await refresh();
		await again();
	});
	const button = (text, keep, kind = "") => {
		const b = el("button", { type: "button", class: kind }, text);

		b.addEventListener("click", pick(b, keep));
		return b;
	};

	return el("section", { class: "card" }, el("h3", {}, t(names[f.field] ?? f.field)),
		el("div", { class: "two" }, f.values.map((v) => el("div", { class: "card" },
			el("p", {}, typed(valueText(f.field, v.value), "span")),
			el("p", { class: "when" }, typed(v.author ?? ""), " · ", v.at ? age(v.at) : ""),
			button(t("Keep this one"), String(v.n), "first")))),
		f.proposal && el("div", { class: "card" }, el("p", {}, el("strong", {}, t("Put together:"))), el("p", {}, typed(f.proposal, "span")), button(t("Keep it put together"), "proposal")),
		el("div", { class: "actions" }, button(t("Keep both"), "both")));
}

// Inside a record.
export function versionsBox(record, kind, again) {
	return record.field_versions.length > 0 && el("section", { class: "note warn" }, el("h2", {}, t("Two versions")),
		el("p", {}, t("This was changed on two devices. Both are kept until you choose.")),
		record.field_versions.map((f) => fieldBox(record.id, f, again)));
}

export async function show(main) {
	const all = (await ask("versions/list")).versions;
	const again = async () => { await show(main); main.querySelector("h1").focus(); };
	const kinds = { contact: t("Conversation"), referral: t("Referral"), resident: t("Resident"), service: t("Organisation") };
	const link = { contact: "gesprek", referral: "doorverwijzing" };

	fill(main, el("h1", { tabindex: "-1" }, t("Two versions")),
		all.length === 0 ? el("p", { class: "empty" }, t("Nothing has two versions.")) : el("p", {}, t("This was changed on two devices. Both are kept until you choose.")),
		all.map((v) => el("section", { class: "part" }, el("h2", {}, kinds[v.kind] ?? v.kind, " ", v.label && typed(v.label), " ",
			link[v.kind] && el("a", { href: "#/" + link[v.kind] + "/" + v.id }, t("Open"))), fieldBox(v.id, v, again))));
}
