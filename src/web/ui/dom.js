// SPDX-License-Identifier: EUPL-1.2
// Building the page. Text only ever becomes text: nothing here reads markup (W1).

// el("p", { class: "x", onclick: f }, "text", other): attributes that are null, false or undefined are left out.
export function el(tag, attrs, ...children) {
	const e = document.createElement(tag);

	for (const [name, value] of Object.entries(attrs || {})) {
		if (value === null || value === undefined || value === false)
			continue;
		if (name.startsWith("on"))
			e.addEventListener(name.slice(2), value);
		else if (name === "value")
			e.value = value;
		else
			e.setAttribute(name, value === true ? "" : value);
	}
	put(e, children);
	return e;
}

export function put(e, children) {
	for (const c of children.flat(Infinity)) {
		if (c !== null && c !== undefined && c !== false)
			e.append(c);
	}
	return e;
}

// What a person typed: its own direction, apart from the words around it.
export function typed(text, tag = "bdi") {
	return el(tag, { dir: "auto" }, text);
}

// A telephone number reads from left to right in every language.
export function number(text) {
	return el("bdi", { dir: "ltr" }, text);
}

export function fill(parent, ...children) {
	parent.replaceChildren();
	return put(parent, children);
}

// Said by screen readers, without moving anything.
export function announce(text) {
	const live = document.getElementById("live");

	live.textContent = "";
	setTimeout(() => { live.textContent = text; }, 50);
}

let last = 0;
export function fresh(prefix) {
	return prefix + (++last);
}

export function later(ms, f) {
	let timer = 0;
	const run = (...args) => {
		clearTimeout(timer);
		timer = setTimeout(() => { timer = 0; f(...args); }, ms);
	};

	run.cancel = () => { clearTimeout(timer); timer = 0; };
	run.waits = () => timer !== 0;
	return run;
}
