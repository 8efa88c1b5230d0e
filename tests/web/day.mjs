// SPDX-License-Identifier: EUPL-1.2
// Goal: Vandaag and Gesprek, locked and open: a conversation within 12 actions by keyboard and by touch; nothing typed is
// lost by a lock or a kill (W2, W3); a BSN is refused kindly; Esc covers at once; a name that sounds alike is asked about.
import { readdirSync } from "node:fs";
import path from "node:path";
import { accessible, ok, passphrase, same, shot, story, unlock, until } from "./lib.mjs";

// Does what is asked and counts it.
function counting(page) {
	let n = 0;

	return {
		press: async (key) => { n++; await page.keyboard.press(key); },
		type: async (text) => { n++; await page.keyboard.type(text); },
		tap: async (locator) => { n++; await locator.tap(); },
		count: () => n,
	};
}

const tomorrow = () => { const d = new Date(); d.setDate(d.getDate() + 1); return new Intl.DateTimeFormat("sv").format(d); };
const button = (page, name) => page.getByRole("button", { name, exact: true });
const chip = (page, name) => page.getByLabel(name, { exact: true });
const kept = (page) => page.locator(".kept", { hasText: "Kladje bewaard" }).waitFor();

export async function day({ browser, noor }) {
	let page = null;

	await story("the door", async () => {
		page = await noor.page(browser);
		same(new URL(page.url()).pathname, "/", "no token stands in the address");
		same(readdirSync(path.join(noor.dir, "owner")).filter((f) => f.startsWith("start")), [], "the start file is gone once it was used");
		await accessible(page, "locked");
		await shot(page, "locked-nl-laptop");
		await page.keyboard.type("niet de goede");
		await page.keyboard.press("Enter");
		await page.locator("#why:not([hidden])").waitFor();
		ok((await page.locator("#why").textContent()).includes("Deze wachtzin opent de kluis niet"), "a wrong passphrase is told in a sentence");
		same(await page.evaluate(() => document.activeElement.name), "passphrase", "and the field has the focus again");
		await shot(page, "locked-wrong-nl-laptop");
		await button(page, "Tonen").click();
		same(await page.locator("[name=passphrase]").getAttribute("type"), "text", "the passphrase can be shown");
		await button(page, "Verbergen").click();
		await page.evaluate(() => navigator.clipboard?.writeText("x").catch(() => {}));
		await unlock(page);
		ok(await page.locator("main h1", { hasText: "Vandaag" }).isVisible(), "it opens on today");
		await shot(page, "today-empty-nl-laptop");
	});

	await story("a conversation by keyboard", async () => {
		const by = counting(page);
		const started = Date.now();

		await by.press("Tab");
		await by.press("Enter");
		await page.locator("textarea[name=text]").waitFor();
		await until(() => page.evaluate(() => document.activeElement.name === "text"));
		await by.type("Brief over de huur. Samen gelezen.");
		await by.press("Tab");
		await by.press("Space");
		await by.press("Tab");
		await by.press("Tab");
		await by.press("Space");
		await by.press("Tab");
		await by.press("ArrowRight");
		await kept(page);
		await shot(page, "talk-nl-laptop");
		await by.press("Control+Enter");
		await page.locator(".done", { hasText: "Opgeslagen op deze computer." }).waitFor();
		ok(by.count() <= 12, "a conversation takes at most 12 actions by keyboard: " + by.count());
		console.log("# " + by.count() + " actions, " + (Date.now() - started) + " ms of the machine");
		const [c] = await noor.json("contact", "list");
		same([c.text, c.domains, c.did, c.follow_up, c.resident], ["Brief over de huur. Samen gelezen.", ["geld"], ["luisteren"], tomorrow(), null], "all of it is saved, without a name");
		same((await page.evaluate(async () => (await (await import("/a/api.js")).ask("draft/list", { name: "" })).drafts)), [], "and no draft is left");
	});

	await story("a conversation by touch", async () => {
		const small = await noor.page(browser, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
		const by = counting(small);

		await small.locator("main h1", { hasText: "Vandaag" }).waitFor();
		await by.tap(button(small, "Nieuw gesprek").first());
		await by.type("Zoekt iemand om mee te koken");
		await by.tap(chip(small, "Meedoen en contact"));
		await by.tap(chip(small, "Verbinden met een buur"));
		await by.tap(chip(small, "Over een week"));
		await shot(small, "talk-nl-small");
		await by.tap(button(small, "Gesprek opslaan"));
		await small.locator(".done").waitFor();
		ok(by.count() <= 12, "a conversation takes at most 12 actions by touch: " + by.count());
		same((await noor.json("contact", "list")).map((c) => c.did).flat().sort(), ["luisteren", "verbinden"], "both are there");
		await small.context().close();
	});

	await story("a BSN", async () => {
		await page.goto(noor.origin + "/#/gesprek/nieuw/bsn");
		await page.locator("textarea[name=text]").fill("Nummer is 111.222.333 zegt ze");
		await button(page, "Gesprek opslaan").click();
		await page.locator(".error:not([hidden])").waitFor();
		ok((await page.locator(".error").textContent()).includes("BSN"), "a BSN is refused with what to do");
		ok(await page.evaluate(() => document.activeElement.classList.contains("error")), "the error has the focus");
		same(await page.locator("textarea[name=text]").inputValue(), "Nummer is 111.222.333 zegt ze", "and nothing typed is gone");
		await shot(page, "talk-bsn-nl-laptop");
		await accessible(page, "a conversation with an error");
		await page.locator("textarea[name=text]").fill("Nummer weggelaten");
		await button(page, "Gesprek opslaan").click();
		await page.locator(".done").waitFor();
		await page.goto(noor.origin + "/#/gesprek/nieuw/leeg");
		await button(page, "Gesprek opslaan").click();
		await page.locator(".error", { hasText: "Schrijf een paar woorden" }).waitFor();
		ok(true, "an empty conversation is not saved, and it says what to do");
	});

	await story("the cover", async () => {
		await page.goto(noor.origin + "/#/gesprek/nieuw/cover");
		await page.locator("textarea[name=text]").fill("Geheim verhaal");
		await page.keyboard.press("Escape");
		same(await page.locator("#app").isVisible(), false, "Esc covers the screen at once");
		same(await page.locator("#cover").isVisible(), true, "by something that says nothing");
		ok(!(await page.title()).includes("gesprek"), "nor does the title");
		await shot(page, "cover");
		await accessible(page, "covered");
		await page.keyboard.press("Enter");
		same(await page.evaluate(() => [document.activeElement.name, document.activeElement.value]), ["text", "Geheim verhaal"], "and back to the same field");
		await kept(page);
	});

	await story("names that sound alike", async () => {
		const name = page.locator("[name=resident]");

		await noor.cli("resident", "add", "Mohammed", "--reach", "telefoon", "--number", "0612345678");
		await page.goto(noor.origin + "/#/gesprek/nieuw/naam");
		await page.locator("textarea[name=text]").fill("Vraag over DigiD");
		await page.getByText("Naam, nummer en meer").click();
		await name.fill("Muhamed");
		await page.locator(".note", { hasText: "Dit klinkt als iemand die je kent" }).waitFor();
		await shot(page, "talk-sounds-nl-laptop");
		await accessible(page, "a conversation with everything open");
		await button(page, "Nee, iemand anders").click();
		await name.fill("Muhame");
		await name.fill("Muhamed");
		await until(async () => !(await page.locator(".note", { hasText: "Dit klinkt als" }).isVisible()));
		ok(true, "\"somebody else\" is remembered");
		await name.fill("Mohamad");
		await name.fill("Mohammed");
		await page.locator(".note", { hasText: "Je kent deze bewoner al" }).waitFor();
		same(await page.locator("[name=number]").inputValue(), "0612345678", "somebody who is known: how to reach them is there");
		await chip(page, "Morgen").click();
		await button(page, "Gesprek opslaan").click();
		await page.locator(".done").waitFor();
		same((await noor.json("resident", "list")).length, 1, "no second resident was made");
	});

	await story("not to be reached", async () => {
		await page.goto(noor.origin + "/#/gesprek/nieuw/niet");
		await page.locator("textarea[name=text]").fill("Wil niet gebeld worden");
		await page.getByText("Naam, nummer en meer").click();
		await page.locator("[name=resident]").fill("Sevgi");
		await chip(page, "Niet").click();
		await page.locator(".note", { hasText: "wil niet bereikt worden" }).waitFor();
		await button(page, "Gesprek opslaan").click();
		await page.locator(".done").waitFor();
		same((await noor.json("resident", "list")).find((r) => r.nick === "Sevgi").reach, "niet", "\"not\" is a good answer");
	});

	await story("follow-ups", async () => {
		const id = (await noor.json("contact", "add", "--text", "Zou terugbellen", "--resident", "Mohammed", "--follow-up", "today")).id;

		await page.goto(noor.origin + "/#/vandaag");
		await page.reload();
		const card = page.locator(".cards > li", { hasText: "Zou terugbellen" });
		await card.waitFor();
		same(await card.getByRole("link", { name: /^Bellen/ }).getAttribute("href"), "tel:0612345678", "one tap to call");
		await shot(page, "today-nl-laptop");
		await card.getByRole("button", { name: "Over een week" }).click();
		await until(async () => (await page.locator(".cards > li", { hasText: "Zou terugbellen" }).count()) === 0);
		ok((await noor.json("contact", "show", id)).follow_up > tomorrow(), "in a week");
		await noor.cli("contact", "edit", id, "--follow-up", "today");
		await page.reload();
		await page.locator(".cards > li", { hasText: "Zou terugbellen" }).getByRole("button", { name: "Gedaan" }).click();
		await until(async () => (await noor.json("contact", "show", id)).follow_up_done);
		ok(true, "done is one tap");
	});

	await story("lock and back", async () => {
		await page.goto(noor.origin + "/#/gesprek/nieuw/slot");
		await page.locator("textarea[name=text]").fill("Halverwege een zin");
		await page.getByText("Naam, nummer en meer").click();
		await page.locator("[name=resident]").fill("Jan");
		await kept(page);
		const before = noor.pids().worker;
		await page.evaluate(async () => (await import("/a/api.js")).ask("lock")); // as when the time is over
		await page.evaluate(async () => (await import("/a/main.js")).refresh());
		await page.locator("[name=passphrase]").waitFor();
		same(await page.locator("body").textContent().then((t) => t.includes("Halverwege")), false, "locked: nothing of it is on the screen");
		await until(() => noor.pids().worker !== before);
		ok(true, "the process that held the keys has ended (V6)");
		await unlock(page);
		await page.locator("textarea[name=text]").waitFor();
		await page.keyboard.type("neke");
		same([await page.locator("textarea[name=text]").inputValue(), await page.locator("[name=resident]").inputValue()], ["Halverwege een zin", "Janneke"], "unlocking returns to the same field (W2)");
		await kept(page);
	});

	await story("killed while typing", async () => {
		await page.goto(noor.origin + "/#/gesprek/nieuw/kill");
		await page.locator("textarea[name=text]").focus();
		for (let i = 0; i < 12; i++) {
			await page.keyboard.type("woord" + i + " ");
			if (i === 6)
				process.kill(noor.pids().worker, "SIGKILL");
		}
		let want = Array.from({ length: 12 }, (x, i) => "woord" + i + " ").join("");
		await page.locator("[name=passphrase]").waitFor();
		const all = await page.evaluate(() => document.body.textContent);
		ok(!all.includes("woord1"), "killed: the page says that it is locked");
		await page.locator("[name=passphrase]").fill(passphrase);
		await page.keyboard.press("Enter");
		await page.locator("textarea[name=text]").waitFor();
		const got = await page.locator("textarea[name=text]").inputValue();
		ok(want.startsWith(got.trimEnd()) && got.includes("woord6"), "kill -9 while typing: every word up to the door is there (W3)", got);
		want += "en nog een";
		await page.locator("textarea[name=text]").fill(want);
		await kept(page);
		const { keeper } = noor.pids();
		process.kill(keeper, "SIGKILL");
		await until(() => noor.pids().all.length === 0);
		ok(true, "a worker does not outlive its keeper");
		await noor.enter(page);
		await unlock(page);
		await page.locator(".cards > li", { hasText: "woord0" }).getByRole("link").click();
		await page.locator("textarea[name=text]").waitFor();
		same(await page.locator("textarea[name=text]").inputValue(), want, "all killed and begun again: the draft waits on today");
		same(await page.evaluate(async () => (await (await import("/a/api.js")).ask("draft/list", { name: "contact/new/cover" })).drafts.length), 1, "each draft is bound to its own conversation");
	});

	await story("a start file used twice", async () => {
		const { file } = await noor.open();
		const other = await page.context().newPage();
		const html = await other.goto("file://" + file).then(() => other.waitForURL(noor.origin + "/**"));

		ok(html !== null, "it opens");
		const token = await other.evaluate(() => localStorage.getItem("token"));
		// what somebody would do who had read the file
		const again = await fetch(noor.origin + "/start", { method: "POST", headers: { Origin: "null" }, body: new URLSearchParams({ token: "0".repeat(32) }) });
		same(again.status, 403, "a token that was never given lets nobody in");
		ok(token?.length === 32, "and the tab that came in has its own");
		await other.close();
	});

	same(page.errors, [], "no error on the page all day");
	await page.context().close();
}
