// SPDX-License-Identifier: EUPL-1.2
// Questions to the program. The token stands in storage of this very origin, and goes along in a header (W1).
import { lang, t } from "./lang.js";

const given = document.querySelector("meta[name=sleutelbos-token]").content;

if (given) {
	localStorage.setItem("token", given);
	document.querySelector("meta[name=sleutelbos-token]").content = "";
	history.replaceState(null, "", "/" + location.hash);
}

export class Refused extends Error {
	constructor(status, error) {
		super(error?.message ?? "");
		this.status = status;
		this.locked = status === 423;
		this.outside = status === 401;
		this.away = status === 0;
	}
}

let onRefused = () => {};
export function whenRefused(f) {
	onRefused = f;
}

export async function ask(name, body = {}) {
	let answer = null;
	let said = null;

	try {
		answer = await fetch("/api/" + name, {
			method: "POST",
			headers: {
				"Content-Type": "application/json",
				"X-Sleutelbos": localStorage.getItem("token") || "",
				"X-Sleutelbos-Lang": lang(),
			},
			body: JSON.stringify(body),
		});
		said = await answer.json();
	} catch {
		said = null;
	}
	if (answer?.ok && said)
		return said;
	const e = new Refused(answer?.status ?? 0, said?.error);
	if (e.away)
		e.message = t("Sleutelbos does not answer. What you typed stays here. Wait a moment and try again.");
	else if (!e.message)
		e.message = t("It did not work. What you typed stays here. Try again.");
	onRefused(e, name);
	throw e;
}
