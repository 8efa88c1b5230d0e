// SPDX-License-Identifier: EUPL-1.2
// Goal (W1): hostile words in every field run nothing and stand there as they were typed; NUL and broken UTF-8 are refused
// with a sentence; a page of another origin, or of another name for this address, gets nothing in or out.
import { createServer } from "node:http";
import net from "node:net";
import { ok, same, shot, story, unlock, until } from "./lib.mjs";

// A thousand: markup in all its dresses, directions, formulas, and what looks harmless.
function thousand() {
	const bases = [
		"<script>X</script>", "<img src=x onerror=X>", "<svg onload=X>", "\"><script>X</script>", "'><img src=x onerror=X>", "<iframe srcdoc=\"<script>parent.X</script>\">",
		"javascript:X", "</textarea><script>X</script>", "<a href=\"javascript:X\">y</a>", "<details open ontoggle=X>", "<input autofocus onfocus=X>", "{{constructor.constructor('X')()}}", "${X}", "<!--<script>X//-->",
		"<style>@import 'http://evil.example'</style>", "<math><mtext><script>X</script>", "&lt;script&gt;X&lt;/script&gt;", "\u202e<script>X</script>", "\u2066\u202etxt.exe\u2069", "=cmd|'/c calc'!A0", "+1+1", "@SUM(A1)", "-2+3", "\u0627\u0644\u0633\u0644\u0627\u0645 <b>X</b>", "%1 %2 %s %n",
	];
	const run = ["window.__ran=1", "alert(1)", "top.__ran=1", "window['__'+'ran']=1", "fetch('http://evil.example')"];
	const list = [];

	for (let i = 0; list.length < 1000; i++)
		list.push(bases[i % bases.length].replaceAll("X", run[i % run.length]) + (i >= bases.length ? " " + i : ""));
	return list;
}

async function words({ browser, noor }) {
	const page = await noor.page(browser);
	const all = thousand();
	const asked = [];

	if (await page.locator("[name=passphrase]").isVisible())
		await unlock(page);
	page.on("request", (r) => { if (!r.url().startsWith(noor.origin) && !r.url().startsWith("file:") && !r.url().startsWith("data:")) asked.push(r.url()); });
	const circle = (await noor.json("circle", "list"))[0]?.name;
	// 25 conversations of 40 strings each, with one as name, and a referral with others as organisation, consent and note
	const ids = await page.evaluate(async ({ all, circle }) => {
		const { ask } = await import("/a/api.js");
		const made = [];

		for (let i = 0; i < 25; i++) {
			const mine = all.slice(i * 40, i * 40 + 40);
			const contact = (await ask("contact/save", { circle, text: mine.join("\n"), resident: mine[0] + " n" + i, domains: ["geld"], follow_up: "today", reach: "telefoon", number: mine[2] })).id;
			const referral = (await ask("referral/save", { contact, service_name: mine[1], group: "anders", kind: "brief", consent: "schriftelijk", consent_what: mine[3], text: mine[4], domain: "geld", date: "-20d" })).id;

			await ask("draft/put", { name: "contact/new/h" + i, value: JSON.stringify({ text: mine[5], resident: mine[6] }) });
			made.push([contact, referral]);
		}
		return made;
	}, { all, circle });
	const shown = [];
	for (const place of ["vandaag", "zoeken", ...ids.flatMap(([c, r]) => ["gesprek/" + c, "doorverwijzing/" + r]).filter((x, i) => i % 5 < 2), "brief/" + ids[0][1], "brief/" + ids[1][1]]) {
		await page.goto(noor.origin + "/#/" + place);
		await page.locator("main h1").waitFor();
		if (place === "zoeken")
			await page.locator("[name=words]").fill("script");
		if (place.startsWith("gesprek")) {
			await page.locator("textarea[name=text]").waitFor();
			shown.push(await page.locator("textarea[name=text]").inputValue() === all.slice(ids.findIndex(([c]) => place.endsWith(c)) * 40).slice(0, 40).join("\n"));
		}
		if (place.startsWith("doorverwijzing"))
			await page.locator(".line").waitFor();
	}
	await shot(page, "hostile-nl-laptop");
	same([await page.evaluate(() => window.__ran ?? 0), page.errors, asked], [0, [], []], "1000 hostile strings in every field: nothing ran, nothing was fetched");
	ok(shown.length > 5 && shown.every(Boolean), "and they stand there as they were typed");
	same(await page.evaluate(async () => {
		const { ask } = await import("/a/api.js");

		return (await ask("contact/save", { text: "a\u0000b" }).catch((e) => e)).status;
	}), 422, "NUL is refused with a sentence");
	const broken = await page.evaluate(async (token) => (await fetch("/api/contact/save", { method: "POST", headers: { "Content-Type": "application/json", "X-Sleutelbos": token }, body: new Uint8Array([0x7b, 0x22, 0x74, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]) })).status, await page.evaluate(() => localStorage.getItem("token")));
	same(broken, 422, "so is broken UTF-8");
	await page.evaluate(async () => {
		const { ask } = await import("/a/api.js");

		for (const d of (await ask("draft/list", { name: "" })).drafts)
			await ask("draft/drop", { name: d.name });
	});
	await page.context().close();
}

// What a page elsewhere tries; each line is one way, and true would be success.
const attack = (port) => `<!doctype html><title>evil</title><iframe id=f src="http://127.0.0.1:${port}/"></iframe><script>
window.done = (async () => {
	const at = "http://127.0.0.1:${port}", got = {};
	const read = (f) => f().then(() => true, () => false);
	got.fetch = await read(async () => { const r = await fetch(at + "/api/state", { method: "POST", body: "{}" }); await r.text(); if (!r.ok) throw 0; });
	got.json = await read(async () => { await fetch(at + "/api/state", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" }); });
	got.header = await read(async () => { await fetch(at + "/api/state", { method: "POST", headers: { "X-Sleutelbos": "0".repeat(32) }, body: "{}" }); });
	got.page = await read(async () => { await (await fetch(at + "/")).text(); });
	got.opaque = await read(async () => { const r = await fetch(at + "/a/main.js", { mode: "no-cors" }); if (!(await r.text()).length) throw 0; });
	const el = (tag, o) => new Promise((yes) => { const e = Object.assign(document.createElement(tag), o); e.onload = () => yes(true); e.onerror = () => yes(false); document.body.append(e); });
	got.script = await el("script", { src: at + "/a/dom.js" });
	got.module = await el("script", { src: at + "/a/dom.js", type: "module" });
	got.style = await el("link", { rel: "stylesheet", href: at + "/a/app.css" });
	got.image = await el("img", { src: at + "/a/icon.svg" });
	got.socket = await new Promise((yes) => { const w = new WebSocket("ws://127.0.0.1:${port}/api/state"); w.onopen = () => yes(true); w.onerror = () => yes(false); });
	got.frame = await new Promise((yes) => setTimeout(() => { try { yes(Boolean(f.contentDocument && f.contentDocument.body.children.length)); } catch { yes(false); } }, 300));
	got.form = await new Promise((yes) => { const t = document.createElement("iframe"); t.name = "t"; t.onload = () => { try { yes(t.contentWindow.length > 0); } catch { yes(false); } }; document.body.append(t);
		const form = Object.assign(document.createElement("form"), { method: "post", action: at + "/api/quit", target: "t", enctype: "text/plain" }); form.innerHTML = "<input name='{\\"a\\":\\"' value='\\"}'>"; document.body.append(form); form.submit(); });
	return got;
})();
</script>`;

async function pages({ browser, noor }) {
	const server = createServer((q, a) => { a.setHeader("Content-Type", "text/html"); a.end(attack(noor.port)); });

	await new Promise((yes) => server.listen(0, "127.0.0.1", yes));
	const context = await browser.newContext();
	const page = await context.newPage();
	await page.goto("http://localhost:" + server.address().port + "/");
	const got = await page.evaluate(() => window.done);
	console.log("# another origin tried " + Object.keys(got).join(", "));
	same(Object.entries(got).filter(([, v]) => v).map(([k]) => k), [], "a page of another origin: 0 of " + Object.keys(got).length + " ways succeed");
	ok(noor.pids().worker > 0, "and the program still runs");
	// the same address under another name, as after rebinding
	await page.goto("http://localhost:" + noor.port + "/").catch(() => {});
	same(await page.evaluate(() => document.querySelector("script") !== null), false, "a rebound name is shown nothing");
	const raw = (host) => new Promise((yes) => {
		const s = net.connect(noor.port, "127.0.0.1", () => s.write("POST /api/state HTTP/1.1\r\nHost: " + host + "\r\nOrigin: http://" + host + "\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"));
		let text = "";

		s.on("data", (d) => { text += d; });
		s.on("close", () => yes(Number(text.split(" ")[1])));
	});
	same(await raw("evil.example:" + noor.port), 403, "nor answered anything");
	await context.close();
	server.close();
	await until(() => true);
}

export async function hostile(all) {
	await story("hostile words", () => words(all));
	await story("hostile pages", () => pages(all));
}
