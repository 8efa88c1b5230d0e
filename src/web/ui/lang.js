// SPDX-License-Identifier: EUPL-1.2
// The words in the language of the person. English sentences are the keys, as everywhere in the program.

const names = { nl: "Nederlands", en: "English", ar: "العربية", tr: "Türkçe" };
const drafts = ["ar", "tr"];
const tables = {};
let now = "nl";

export const languages = Object.keys(names);
export const langName = (l) => names[l] + (drafts.includes(l) ? " (" + { ar: "مسودة", tr: "taslak" }[l] + ")" : "");
export const lang = () => now;
// Not read yet by somebody who grew up with the language.
export const isDraft = () => drafts.includes(now);
export const isRtl = (l = now) => l === "ar";

export async function loadLang(l) {
	if (!tables[l])
		tables[l] = await (await fetch("/a/lang-" + l + ".json")).json();
}

export async function setLang(l) {
	now = languages.includes(l) ? l : "nl";
	await loadLang(now);
	localStorage.setItem("lang", now);
	document.documentElement.lang = now;
	document.documentElement.dir = isRtl() ? "rtl" : "ltr";
}

function fillIn(text, args) {
	return text.replace(/%([1-9])/g, (all, n) => args[n - 1] ?? all);
}

// Marks a sentence that is looked up elsewhere.
export const msg = (id) => id;

export function tIn(l, id, ...args) {
	const text = tables[l]?.[id];

	return fillIn(typeof text === "string" ? text : id, args);
}

export const t = (id, ...args) => tIn(now, id, ...args);

// `one` is the key; %1 is the number.
export function many(n, one, other, ...args) {
	const forms = tables[now]?.[one];
	const order = now === "ar" ? ["zero", "one", "two", "few", "many", "other"] : ["one", "other"];
	const form = Array.isArray(forms) ? forms[order.indexOf(new Intl.PluralRules(now).select(n))] : null;

	return fillIn(form || (n === 1 ? one : other), [n, ...args]);
}

// --- dates ---

const day = (iso) => new Date(iso.length === 10 ? iso + "T12:00:00" : iso);

export function dateText(iso) {
	return day(iso).toLocaleDateString(now === "ar" ? "ar-u-nu-latn" : now, { weekday: "short", day: "numeric", month: "long" });
}

export function dayDistance(iso, today) {
	return Math.round((day(iso) - day(today)) / 86400000);
}

// "yesterday", "in 3 days"
export function dayAge(iso, today) {
	return new Intl.RelativeTimeFormat(now === "ar" ? "ar-u-nu-latn" : now, { numeric: "auto" })
		.format(dayDistance(iso, today), "day");
}

// "5 minutes ago"
export function age(iso) {
	const f = new Intl.RelativeTimeFormat(now === "ar" ? "ar-u-nu-latn" : now, { numeric: "auto" });
	const s = Math.round((new Date(iso) - Date.now()) / 1000);

	if (Math.abs(s) < 60)
		return t("just now");
	if (Math.abs(s) < 3600)
		return f.format(Math.round(s / 60), "minute");
	if (Math.abs(s) < 86400)
		return f.format(Math.round(s / 3600), "hour");
	return f.format(Math.round(s / 86400), "day");
}

export function clock(iso) {
	return new Date(iso).toLocaleTimeString(now === "ar" ? "ar-u-nu-latn" : now, { hour: "2-digit", minute: "2-digit" });
}
