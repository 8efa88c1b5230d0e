// SPDX-License-Identifier: EUPL-1.2
// What the browser tests share: real homes, the real program, one browser, and lines as docs/TESTING.md has them.
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export const build = process.env.BUILD;
// installed there by scripts/install-node, outside the sources
const require = createRequire(path.join(build, "web", "x.js"));
const { chromium } = require("playwright-core");
export const shots = path.join(build, "screenshots");
export const passphrase = "een lange zin voor de test";
const bin = path.join(build, "sleutelbos");
const scratch = mkdtempSync(path.join(tmpdir(), "slb-web."));
const secret = path.join(scratch, "passphrase");

mkdirSync(shots, { recursive: true });
writeFileSync(secret, passphrase + "\n", { mode: 0o600 });

// --- lines ---

let failed = 0;
export function ok(what, name, more = "") {
	console.log((what ? "ok " : "not ok ") + name);
	if (!what) {
		failed++;
		if (more)
			console.log(String(more).replace(/^/gm, "# "));
	}
	return what;
}
export const same = (got, want, name) => ok(JSON.stringify(got) === JSON.stringify(want), name, "got " + JSON.stringify(got) + "\nwant " + JSON.stringify(want));
export const failures = () => failed;
// One story; what goes wrong in it is one failure, and the next begins all the same.
export async function story(name, f) {
	try {
		await f();
	} catch (e) {
		ok(false, name, e.stack);
	}
}

// --- homes ---

export class Home {
	constructor(dir) {
		this.dir = dir;
	}

	static async make(name, nick) {
		const h = new Home(path.join(scratch, name));

		await h.cli("init", "--name", nick);
		return h;
	}

	// A place where no home is yet.
	static none(name) {
		return new Home(path.join(scratch, "not", "yet", name));
	}

	// Runs a command; the passphrase is taken from a file where one is needed.
	async cli(...args) {
		const { stdout } = await run(bin, ["--home", this.dir, "--passphrase-file", secret, "--lang", "en", ...args], { env: { ...process.env, SLEUTELBOS_HOME: "" } });

		return stdout;
	}

	async json(...args) {
		return JSON.parse(await this.cli("--json", ...args));
	}

	// The server of this home; gives the file that lets a browser in.
	async open(...args) {
		const said = JSON.parse((await run(bin, ["--home", this.dir, "--json", "open", "--no-browser", ...args])).stdout);

		this.port = said.port;
		this.origin = "http://127.0.0.1:" + said.port;
		return said;
	}

	// The keeper and its worker.
	pids() {
		const all = execFileSync("ps", ["-eo", "pid,ppid,args"], { encoding: "utf8" }).split("\n")
			.filter((l) => l.includes(bin) && l.includes(this.dir) && l.includes(" open "))
			.map((l) => l.trim().split(/\s+/).slice(0, 2).map(Number));
		const keeper = all.find(([, parent]) => !all.some(([pid]) => pid === parent));

		return { keeper: keeper?.[0], worker: all.find(([, parent]) => parent === keeper?.[0])?.[0], all: all.map(([p]) => p) };
	}

	// A page of this home in a context of its own.
	async page(browser, options = {}) {
		const context = await browser.newContext({ locale: "nl-NL", viewport: { width: 1280, height: 800 }, ...options });
		const page = await context.newPage();

		page.setDefaultTimeout(10000);
		page.errors = [];
		page.on("pageerror", (e) => page.errors.push(e.message));
		page.on("dialog", (d) => { page.errors.push("dialog: " + d.message()); d.dismiss(); });
		await this.enter(page);
		return page;
	}

	async enter(page) {
		const { file } = await this.open();

		await page.goto("file://" + file);
		await page.waitForURL(this.origin + "/**");
		await page.waitForSelector("h1");
	}

	async end() {
		const { keeper } = this.pids();

		if (keeper)
			process.kill(keeper, "SIGTERM");
		await until(() => this.pids().all.length === 0);
	}
}

export async function unlock(page) {
	await page.fill("[name=passphrase]", passphrase);
	await page.keyboard.press("Enter");
	await page.waitForSelector("nav");
	await page.waitForSelector("main h1");
}

// Waits for something to be so; never for a time alone.
export async function until(f, ms = 10000) {
	const end = Date.now() + ms;

	for (;;) {
		if (await f())
			return true;
		if (Date.now() > end)
			throw new Error("it did not come about: " + f);
		await new Promise((r) => setTimeout(r, 20));
	}
}

export async function startBrowser() {
	const program = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);

	return chromium.launch({ executablePath: program, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
}

export async function shot(page, name) {
	await page.screenshot({ path: path.join(shots, name + ".png"), fullPage: true });
}

const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
// Breaches of WCAG 2.2 AA that a machine can see.
export async function breaches(page) {
	// by the debugger and not by a script of the page, which its policy would refuse
	await page.evaluate(axe + "; undefined");
	return page.evaluate(async () => (await window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }))
		.violations.map((v) => v.id + ": " + v.nodes.map((n) => n.target.join(" ") + " " + (n.any[0]?.message ?? "")).slice(0, 3).join(" | ")));
}
export async function accessible(page, name) {
	const found = await breaches(page);

	return ok(found.length === 0, "axe finds nothing: " + name, found.join("\n"));
}
