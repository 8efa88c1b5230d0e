// SPDX-License-Identifier: EUPL-1.2
// Parts of forms: fields, groups of chips, errors beside the button, and drafts that are kept as they are typed (W3).
import { ask } from "./api.js";
import { announce, el, fill, fresh, later } from "./dom.js";
import { clock, t } from "./lang.js";

export function field(label, input, hint) {
	const id = fresh("f");
	const about = hint ? fresh("h") : null;

	input.id = id;
	if (about)
		input.setAttribute("aria-describedby", about);
	return el("div", { class: "field" }, el("label", { for: id }, label), hint && el("p", { id: about, class: "hint" }, hint),
		input);
}

export function textarea(name, value, rows = 3) {
	const e = el("textarea", { name, rows, dir: "auto", autocomplete: "off" });
	const grow = () => {
		e.style.blockSize = "auto";
		e.style.blockSize = Math.min(e.scrollHeight + 4, 600) + "px";
	};

	e.value = value || "";
	e.addEventListener("input", grow);
	requestAnimationFrame(grow);
	return e;
}

export function input(name, value, attrs = {}) {
	return el("input", { name, value: value || "", type: "text", dir: "auto", autocomplete: "off", ...attrs });
}

// Chips: one stop for Tab, arrows between them, Space to choose. `several`: any number; else at most one, and choosing
// it again takes it away where `none` is allowed.
export function chips({ legend, name, items, chosen = [], several = false, hint = null, extra = null, onchange = () => {} }) {
	const set = new Set(chosen);
	const about = hint ? fresh("h") : null;
	const boxes = [];
	const group = el("fieldset", { class: "chips", "aria-describedby": about }, el("legend", {}, legend),
		hint && el("p", { id: about, class: "hint" }, hint));
	const row = el("div", { class: "row" });
	const stops = () => boxes.filter((b) => b.offsetParent !== null || !b.isConnected);
	const stop = (b) => boxes.forEach((x) => { x.tabIndex = x === b ? 0 : -1; });
	const move = (from, by) => {
		const list = stops();
		const to = list[(list.indexOf(from) + by + list.length) % list.length];

		stop(to);
		to.focus();
	};

	function add(item, where) {
		const id = fresh("c");
		const box = el("input", { type: several ? "checkbox" : "radio", id, name: name + "-" + group.id, value: item.id });

		box.checked = set.has(item.id);
		box.dataset.name = name;
		box.addEventListener("change", () => {
			if (!several)
				set.clear();
			if (box.checked)
				set.add(item.id);
			else
				set.delete(item.id);
			stop(box);
			onchange([...set]);
		});
		box.addEventListener("keydown", (ev) => {
			const forward = document.documentElement.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
			const back = document.documentElement.dir === "rtl" ? "ArrowRight" : "ArrowLeft";

			if (!several || ev.altKey || ev.ctrlKey || ev.metaKey)
				return;
			if (ev.key === forward || ev.key === "ArrowDown")
				move(box, 1);
			else if (ev.key === back || ev.key === "ArrowUp")
				move(box, -1);
			else
				return;
			ev.preventDefault();
		});
		boxes.push(box);
		where.append(el("span", { class: "chip" }, box, el("label", { for: id }, item.label)));
	}

	group.id = fresh("g");
	for (const item of items)
		add(item, row);
	group.append(row);
	if (extra?.length) {
		const more = el("div", { class: "row" });
		const fold = el("details", { class: "more" }, el("summary", {}, t("More")), more);

		for (const item of extra)
			add(item, more);
		fold.open = extra.some((i) => set.has(i.id));
		group.append(fold);
	}
	if (several)
		stop(boxes.find((b) => b.checked) || boxes[0]);
	group.value = () => [...set];
	group.choose = (ids) => {
		set.clear();
		ids.forEach((i) => set.add(i));
		boxes.forEach((b) => { b.checked = set.has(b.value); });
	};
	return group;
}

// The place beside the button where an error stands; it gets the focus, so it is read and stands next to what to press,
// or `focus` gives it to where one types again. `before`: what stands in front of each.
export function errorBox({ before = t("Not saved yet."), focus = null } = {}) {
	const box = el("div", { class: "error", tabindex: "-1", role: "alert", hidden: true });

	box.show = (text) => {
		fill(box, before && [el("strong", {}, before), " "], text);
		box.hidden = false;
		focus ? focus() : box.focus();
	};
	box.clear = () => { box.hidden = true; fill(box); };
	return box;
}

// The button that shows a passphrase while one types, and hides it again.
export function showButton(pass) {
	const show = el("button", { type: "button", "aria-pressed": "false" }, t("Show"));

	show.addEventListener("click", () => {
		const on = pass.type === "password";

		pass.type = on ? "text" : "password";
		show.textContent = on ? t("Hide") : t("Show");
		show.setAttribute("aria-pressed", String(on));
		pass.focus();
	});
	return show;
}

// What was typed and could not be kept, because it locked or the program had ended: kept as soon as it is open again.
const waiting = new Map();
export async function keepWaiting() {
	for (const [name, value] of waiting) {
		await ask("draft/put", { name, value });
		waiting.delete(name);
	}
}

// A draft of one form: `read` gives its state as plain data. What is kept is told, and so is what is not.
export function draft(name, read) {
	const sign = el("p", { class: "kept" });
	let kept = null;
	let over = false;
	let going = null;

	async function keep() {
		const value = JSON.stringify(read());

		if (over || value === kept)
			return;
		try {
			waiting.set(name, value);
			going = ask("draft/put", { name, value });
			await going;
			kept = value;
			if (waiting.get(name) === value)
				waiting.delete(name);
			if (!over)
				fill(sign, t("Draft kept, %1", clock(new Date().toISOString())));
		} catch (e) {
			if (!over && !e.locked) {
				fill(sign, t("This draft is not kept yet. Trying again."));
				soon();
			}
		}
	}
	const soon = later(250, keep);
	const self = {
		sign,
		name,
		begin: () => { kept = JSON.stringify(read()); }, // as it stands it need not be kept
		touched: () => { if (!over) soon(); },
		flush: async () => { soon.cancel(); await going?.catch(() => {}); await keep(); },
		saved: () => { over = true; soon.cancel(); waiting.delete(name); },
		open: () => { over = false; soon(); },
		// The record itself: what was typed last is kept before, and it is a draft again where `f` is refused.
		save: async (f) => {
			await self.flush();
			self.saved();
			try {
				return await f();
			} catch (e) {
				self.open();
				throw e;
			}
		},
		drop: async () => { over = true; soon.cancel(); await going?.catch(() => {}); waiting.delete(name); await ask("draft/drop", { name }); },
	};
	return self;
}

// Begins a form with a draft: Ctrl and Enter save it. `start`: it was left before, and stands as it was.
export function beginDraft(form, submit, kept, start) {
	form.addEventListener("keydown", (e) => {
		if (e.key === "Enter" && (e.ctrlKey || e.metaKey))
			submit(e);
	});
	kept.begin();
	if (start)
		fill(kept.sign, t("This is how you left it."));
}

export async function draftOf(name) {
	const found = (await ask("draft/list", { name })).drafts.find((d) => d.name === name);

	try {
		return found ? JSON.parse(found.value) : null;
	} catch {
		return null;
	}
}

// Runs `f` once at a time for a button, and shows what was refused.
export function press(button, box, f) {
	return async (ev) => {
		ev?.preventDefault();
		if (button.getAttribute("aria-disabled") === "true")
			return;
		button.setAttribute("aria-disabled", "true");
		box?.clear();
		try {
			await f();
		} catch (e) {
			if (!e.message && !e.status)
				throw e;
			if (!e.locked && !e.outside)
				box ? box.show(e.message) : announce(e.message);
		} finally {
			button.removeAttribute("aria-disabled");
		}
	};
}
