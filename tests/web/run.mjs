// SPDX-License-Identifier: EUPL-1.2
// One browser, started once; the homes of two key figures in one circle; one story after the other.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as L from "./lib.mjs";
import { day } from "./day.mjs";
import { start } from "./start.mjs";
import { referrals } from "./referrals.mjs";
import { together } from "./together.mjs";
import { hostile } from "./hostile.mjs";
import { everyone } from "./everyone.mjs";

const began = Date.now();
const remote = path.join(mkdtempSync(path.join(tmpdir(), "slb-repo.")), "west.git");
const [browser, noor, amira] = await Promise.all([L.startBrowser(), L.Home.make("noor", "Noor"), L.Home.make("amira", "Amira")]);
const only = process.argv[2];

for (const [name, f] of Object.entries({ day, start, referrals, together, hostile, everyone })) {
	if (only && only !== name)
		continue;
	const from = Date.now();

	await L.story(name, () => f({ browser, noor, amira, remote }));
	console.log("# " + name + ": " + ((Date.now() - from) / 1000).toFixed(1) + " s");
}
await noor.end().catch(() => {});
await amira.end().catch(() => {});
L.same([...noor.pids().all, ...amira.pids().all], [], "no process is left");
await browser.close();
console.log("# all: " + ((Date.now() - began) / 1000).toFixed(1) + " s");
process.exit(L.failures() > 0 ? 1 : 0);
