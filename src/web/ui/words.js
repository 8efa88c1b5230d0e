// SPDX-License-Identifier: EUPL-1.2
// The value lists with their labels, and small sentences that several screens share.
import { ask } from "./api.js";
import { lang } from "./lang.js";

let lists = null;
let of = null;

export async function loadLists() {
	if (of !== lang()) {
		lists = await ask("lists");
		of = lang();
	}
}

export const list = (name) => lists[name];
// An id from a newer version is shown as it is (M3).
export const label = (name, id) => lists[name].find((i) => i.id === id)?.label ?? id;
export const labelNl = (name, id) => { const i = lists[name].find((x) => x.id === id); return i?.nl ?? i?.label ?? id; };

const details = ["psyche", "lijf", "middelen", "justitie"];
export const domains = () => list("domain").filter((d) => !details.includes(d.id));
export const domainDetails = () => list("domain").filter((d) => details.includes(d.id));

export function firstWords(text, n = 90) {
	const line = (text || "").trim().split("\n")[0];

	return line.length > n ? line.slice(0, n).trimEnd() + "…" : line;
}
