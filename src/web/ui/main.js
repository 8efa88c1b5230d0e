// SPDX-License-Identifier: EUPL-1.2
// The frame around the screens: which one is shown, how things stand, locked or open, and the cover.
import { ask, whenRefused } from "./api.js";
import { announce, el, fill } from "./dom.js";
import { age, isDraft, languages, langName, lang, many, setLang, t } from "./lang.js";
import { keepWaiting } from "./form.js";
import { loadLists } from "./words.js";
import { lockedScreen, outsideScreen } from "./unlock.js";
import { startScreen } from "./start.js";
import * as today from "./today.js";
import * as talk from "./talk.js";
import * as referral from "./referral.js";
import * as letter from "./letter.js";
import * as sync from "./sync.js";
import * as search from "./search.js";
import * as versions from "./versions.js";
import * as circle from "./circle.js";
import * as directory from "./directory.js";
import * as slip from "./slip.js";
import * as employer from "./employer.js";
import * as settings from "./settings.js";

const routes = [
	[/^vandaag$/, today.show],
	[/^gesprek\/nieuw\/([a-z0-9]+)(?:\/volgt\/([^/]+))?$/, talk.showNew],
	[/^gesprek\/([^/]+)$/, talk.show],
	[/^doorverwijzing\/nieuw\/([^/]+)$/, referral.showNew],
	[/^doorverwijzing\/([^/]+)$/, referral.show],
	[/^brief\/([^/]+)$/, letter.show],
	[/^versturen$/, sync.show],
	[/^zoeken$/, search.show],
	[/^versies$/, versions.show],
	[/^strook$/, slip.show],
	[/^wegwijzer$/, directory.show],
	[/^kring$/, circle.show],
	[/^werkgever$/, employer.show],
	[/^instellingen$/, settings.show],
];

const app = document.getElementById("app");
const cover = document.getElementById("cover");
let state = null;
let leave = null; // what a screen wants done before another one comes
let shown = 0;
let mainPlace = null;
let standingPlace = null;

export const now = () => state;

export function go(where) {
	if (location.hash === "#/" + where)
		return route();
	location.hash = "#/" + where;
}

export function newTalk(follows) {
	const name = Math.random().toString(36).slice(2, 10).replace(/[^a-z0-9]/g, "0") || "a";

	go("gesprek/nieuw/" + name + (follows ? "/volgt/" + follows : ""));
}

// --- how it stands ---

function standingText() {
	const parts = [];
	const s = state.sync;

	if (s.wish === "running")
		parts.push(t("Sending and fetching …"));
	parts.push(state.unsent === 0 ? t("Everything is saved.")
		: many(state.unsent, "Everything is saved. 1 change is not sent yet.", "Everything is saved. %1 changes are not sent yet."));
	if (state.neighbourhood)
		parts.push(state.last_success ? t("Last sent and fetched: %1.", age(state.last_success)) : t("Nothing was ever sent or fetched."));
	else
		parts.push(t("It is only on this computer."));
	return parts.join(" ");
}

function paintStanding() {
	if (!standingPlace || !state || state.locked)
		return;
	const late = state.neighbourhood && state.days_since > 7;
	standingPlace.className = "standing" + (late ? " late" : "");
	fill(standingPlace, el("a", { href: "#/versturen" }, late && el("strong", {}, t("More than a week ago."), " "), standingText()));
}

export async function refresh() {
	try {
		const before = state?.sync?.wish;

		state = await ask("state");
		if (state.locked)
			return showLocked();
		if (!standingPlace)
			return null;
		paintStanding();
		if (before === "running" && state.sync.wish !== "running")
			window.dispatchEvent(new Event("synced"));
	} catch {
		/* told by whenRefused(), or it is there again in a moment */
	}
}

// --- the frame ---

const item = (where, text, current) => el("a", { href: "#/" + where, "aria-current": current ? "page" : null }, text);

function frame(path) {
	standingPlace = el("div", { class: "standing noprint" });
	mainPlace = el("main", { id: "main", tabindex: "-1" });
	fill(app,
		el("a", { class: "skip", href: "#main", onclick: (e) => { e.preventDefault(); mainPlace.focus(); } }, t("To the content")),
		el("header", {}, el("div", { class: "top" }, el("div", { class: "in" },
			el("a", { class: "brand", href: "#/vandaag" }, el("img", { src: "/a/icon.svg", alt: "" }), "Sleutelbos"),
			el("nav", { "aria-label": t("Screens") },
				item("vandaag", t("Today"), path === "vandaag"),
				item("zoeken", t("Search"), path === "zoeken"),
				item("wegwijzer", t("Directory"), path === "wegwijzer"),
				item("strook", t("Slip"), path === "strook"),
				item("versturen", t("Send"), path === "versturen")),
			el("div", { class: "tools" },
				el("button", { class: "tool", type: "button", onclick: coverUp, title: t("Esc does this too") }, t("Cover")),
				el("button", { class: "tool", type: "button", onclick: lock }, t("Lock"))))), standingPlace),
		mainPlace,
		el("footer", { class: "noprint" }, el("a", { href: "#/werkgever" }, t("Your employer cannot see this")),
			el("a", { href: "#/kring" }, t("Circle")), el("a", { href: "#/instellingen" }, t("Settings")),
			isDraft() && el("span", { class: "when" }, t("This translation is a draft."))));
	paintStanding();
}

async function route() {
	const path = location.hash.replace(/^#\//, "") || "vandaag";
	const mine = ++shown;
	const found = routes.map(([re, f]) => [path.match(re), f]).find(([m]) => m) || [[], today.show];

	await leave?.();
	leave = null;
	if (mine !== shown || !state || state.locked)
		return;
	localStorage.setItem("place", location.hash);
	frame(path);
	try {
		const done = await found[1](mainPlace, ...found[0].slice(1));

		if (mine !== shown)
			return;
		leave = done?.leave ?? null;
		mainPlace.dataset.ready = path;
		document.title = (mainPlace.querySelector("h1")?.textContent ?? "") + " · Sleutelbos";
		if (!backToField(mainPlace))
			(done?.focus ?? mainPlace.querySelector("h1"))?.focus();
	} catch (e) {
		if (mine === shown && !e.locked && !e.outside)
			fill(mainPlace, el("h1", { tabindex: "-1" }, t("This cannot be shown now")), el("p", {}, e.message),
				el("p", {}, el("a", { class: "button", href: "#/vandaag" }, t("To today"))));
	}
}

// The field where somebody was when it locked (W2).
function backToField(place) {
	const name = sessionStorage.getItem("field");
	const field = name && place.querySelector("[name=\"" + CSS.escape(name) + "\"]");

	sessionStorage.removeItem("field");
	if (!field)
		return false;
	field.closest("details")?.setAttribute("open", "");
	field.focus();
	field.setSelectionRange?.(field.value.length, field.value.length);
	return true;
}

// --- locked and open ---

async function lock() {
	await leave?.();
	leave = null;
	await ask("lock").catch(() => {});
	await showLocked();
}

async function showLocked() {
	if (state?.shownLocked)
		return;
	const at = document.activeElement;

	if (at?.name && mainPlace?.contains(at))
		sessionStorage.setItem("field", at.name);
	const left = leave;
	shown++;
	leave = null;
	state = { locked: true, shownLocked: true };
	left?.().catch(() => {}); // what is not kept yet waits until it is open again
	standingPlace = null;
	lockedScreen(app, opened);
}

async function opened() {
	await keepWaiting();
	state = await ask("state");
	await loadLists();
	if (location.hash.length < 3)
		history.replaceState(null, "", localStorage.getItem("place") || "#/vandaag");
	await route();
}

whenRefused((e) => {
	if (e.outside) {
		shown++;
		state = null;
		outsideScreen(app);
	} else if (e.locked && state && !state.locked) {
		showLocked();
	}
});

// --- the cover: at once, whatever is on the screen ---

let coverBack = null;

function coverUp() {
	coverBack = document.activeElement;
	document.title = "…";
	app.inert = true;
	app.hidden = true;
	const button = el("button", { class: "quiet", type: "button", onclick: coverDown }, t("Go on"));
	fill(cover, el("div", {}, el("p", { class: "time" }, new Date().toLocaleTimeString("nl", { hour: "2-digit", minute: "2-digit" })), button));
	cover.hidden = false;
	button.focus();
}

function coverDown() {
	cover.hidden = true;
	cover.replaceChildren();
	app.hidden = false;
	app.inert = false;
	document.title = (mainPlace?.querySelector("h1")?.textContent ?? "") + " · Sleutelbos";
	coverBack?.focus?.();
}

document.addEventListener("keydown", (e) => {
	if (e.key === "Escape" && cover.hidden && state && !state.locked) {
		e.preventDefault();
		coverUp();
	} else if (e.key === "/" && !e.ctrlKey && !e.altKey && !e.metaKey && cover.hidden && state && !state.locked
		&& !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "")) {
		e.preventDefault();
		go("zoeken");
	}
}, true);

// --- the language ---

export function languageChoice(after) {
	const choice = el("select", { name: "language", onchange: async () => { await setLang(choice.value); await loadLists(); after(); } },
		languages.map((l) => el("option", { value: l, lang: l }, langName(l))));

	choice.value = lang();
	return choice;
}

// --- beginning ---

window.addEventListener("hashchange", route);
// Another tab of this browser came in anew.
window.addEventListener("storage", (e) => { if (e.key === "token" && e.newValue) location.reload(); });
// A person at work is one who moves something: then it does not lock meanwhile.
let alive = 0;
for (const what of ["keydown", "pointerdown"]) {
	document.addEventListener(what, () => {
		if (state && !state.locked && Date.now() - alive > 30000) {
			alive = Date.now();
			ask("alive").catch(() => {});
		}
	}, true);
}

async function begin() {
	await setLang(localStorage.getItem("lang") || "nl");
	state = await ask("state").catch(() => null);
	if (!state)
		return;
	if (!state.home)
		return startScreen(app, opened);
	if (state.locked)
		return showLocked();
	await opened();
}

export const tell = announce;
await begin();
setInterval(() => { if (state && !state.locked && !document.hidden) refresh(); }, 10000);
document.addEventListener("visibilitychange", () => { if (!document.hidden && state && !state.locked) refresh(); });
