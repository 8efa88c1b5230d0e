// SPDX-License-Identifier: EUPL-1.2
// Goal: two key figures of one circle change the same referral apart, each in a browser of her own; both versions are kept,
// shown side by side, and one tap decides (M2). A form that was open while news came in overwrites nothing. Sending: what
// was sent, what did not come through and why, never in the way of typing; twenty tabs and a sync at once.
import { existsSync, renameSync } from "node:fs";
import { accessible, ok, passphrase, same, shot, story, unlock, until } from "./lib.mjs";

const button = (page, name) => page.getByRole("button", { name, exact: true });

async function send(page, home) {
	await page.goto(home.origin + "/#/versturen");
	const before = await page.evaluate(async () => (await (await import("/a/api.js")).ask("state")).sync.runs);
	await page.locator(".big").click();
	await until(() => page.evaluate(async (b) => { const s = (await (await import("/a/api.js")).ask("state")).sync; return s.wish !== "running" && s.runs !== b; }, before), 20000);
}

export async function together({ browser, noor, amira, remote }) {
	let hers = null;
	let mine = null;
	let id = "";

	await story("two people come together", async () => {
		await noor.cli("neighbourhood", "found", "West", "--remote", remote);
		await noor.cli("circle", "found", "Dinsdag");
		const invitation = (await noor.json("invite", "--space", "Dinsdag")).invitation;
		await noor.cli("sync");
		await amira.cli("join", invitation);
		await amira.cli("sync");
		await noor.cli("sync");
		await amira.cli("sync");
		const contact = (await noor.json("contact", "add", "--circle", "Dinsdag", "--text", "Zoekt een fiets", "--domain", "meedoen")).id;
		id = (await noor.json("referral", "add", "--contact", contact, "--service-name", "Fietsplaats", "--group", "initiatief", "--kind", "info")).id;
		await noor.cli("sync");
		await amira.cli("sync");
		[mine, hers] = await Promise.all([noor.page(browser), amira.page(browser)]);
		for (const p of [mine, hers]) {
			if (await p.locator("[name=passphrase]").isVisible())
				await unlock(p);
		}
		ok((await amira.json("referral", "list")).length === 1, "Amira has what Noor wrote");
	});

	await story("apart", async () => {
		for (const [p, h, text] of [[mine, noor, "Belt dinsdag"], [hers, amira, "Komt woensdag langs"]]) {
			await p.goto(h.origin + "/#/doorverwijzing/" + id);
			await p.getByText("Deze doorverwijzing aanpassen").click();
			await p.locator("details textarea[name=text]").fill(text);
		}
		// Amira's form stays open while Noor's words come in: her saving has not seen them
		await mine.locator("details").getByRole("button", { name: "Opslaan" }).click();
		await until(async () => (await noor.json("referral", "show", id)).text === "Belt dinsdag");
		await send(mine, noor);
		await amira.cli("sync");
		await hers.locator("details").getByRole("button", { name: "Opslaan" }).click();
		await hers.locator(".note", { hasText: "Twee versies" }).waitFor();
		same((await amira.json("referral", "show", id)).field_versions[0].values.map((v) => v.value).sort(), ["Belt dinsdag", "Komt woensdag langs"], "a form that was open overwrites nothing (M2)");
		await shot(hers, "versions-in-referral-nl-laptop");
		await accessible(hers, "two versions in a referral");
		await send(hers, amira);
		await hers.locator(".note", { hasText: "Het is gelukt" }).waitFor();
		ok(true, "what came through is told");
		await shot(hers, "sync-done-nl-laptop");
		await accessible(hers, "sent");
		await send(mine, noor);
		await mine.goto(noor.origin + "/#/vandaag");
		await mine.getByRole("link", { name: "Bekijk en kies" }).click();
		await mine.locator(".two").first().waitFor();
		await shot(mine, "versions-open-nl-laptop");
		await accessible(mine, "two versions");
		same(await mine.locator("input:checked").count(), 0, "nothing is chosen beforehand");
		await mine.locator(".card .card", { hasText: "Komt woensdag langs" }).getByRole("button", { name: "Houd deze" }).click();
		await mine.locator(".empty", { hasText: "Niets heeft twee versies." }).waitFor();
		await send(mine, noor);
		await send(hers, amira);
		const both = await Promise.all([noor, amira].map(async (h) => { const r = await h.json("referral", "show", id); return [r.text, r.versions]; }));
		same(both, [["Komt woensdag langs", 0], ["Komt woensdag langs", 0]], "one tap decides, for both");
	});

	await story("no network", async () => {
		await noor.cli("contact", "add", "--circle", "Dinsdag", "--text", "Onderweg geschreven");
		renameSync(remote, remote + ".away");
		await send(mine, noor);
		await mine.locator(".note.warn", { hasText: "Nog niet gelukt. Er is niets kwijt." }).waitFor();
		ok(await mine.locator(".note.warn", { hasText: "zodra er netwerk is" }).isVisible(), "not through: it says so, and that it is tried again");
		ok(await mine.locator(".standing", { hasText: "nog niet verstuurd" }).isVisible(), "and what is not sent is never called sent (S2)");
		await shot(mine, "sync-later-nl-laptop");
		await accessible(mine, "not sent");
		renameSync(remote + ".away", remote);
		await send(mine, noor);
		await until(async () => (await mine.locator(".standing").textContent()).startsWith("Alles is opgeslagen. Laatst verstuurd"));
		ok(existsSync(remote), "the network is back: everything is sent");
	});

	await story("the directory", async () => {
		await noor.cli("service", "add", "--name", "Sociaal Raadslieden West", "--group", "recht", "--kind", "formal", "--phone", "020 123 45 67", "--cost", "gratis", "--language", "nl,ar", "--description", "Hulp bij brieven");
		await noor.cli("service", "add", "--name", "Buurtmaaltijd de Kas", "--group", "initiatief", "--kind", "initiative", "--cost", "2 euro");
		await mine.goto(noor.origin + "/#/wegwijzer");
		await mine.locator(".cards > li").first().waitFor();
		same(await mine.locator(".cards > li").count(), 2, "residents' initiatives stand among the others");
		await mine.locator("[name=words]").fill("raads");
		await until(async () => (await mine.locator(".cards > li").count()) === 1);
		await mine.locator("[name=words]").fill("");
		await mine.getByLabel("Gratis", { exact: true }).check();
		await until(async () => (await mine.locator(".cards > li").count()) === 1);
		ok(await mine.locator(".tag", { hasText: "Nooit nagekeken" }).isVisible(), "how long ago somebody looked stands in words");
		await button(mine, "Klopt nog").click();
		await mine.locator(".tag.good", { hasText: "Nagekeken vandaag" }).waitFor();
		await button(mine, "Klopt niet").click();
		await mine.locator("[name=wrong]").fill("Het nummer is veranderd");
		await mine.locator("form").getByRole("button", { name: "Opslaan" }).click();
		await mine.locator(".tag.warn", { hasText: "Iemand zegt: klopt niet" }).waitFor();
		await shot(mine, "directory-wrong-nl-laptop");
		await accessible(mine, "the directory");
		await mine.goto(noor.origin + "/#/doorverwijzing/nieuw/" + (await noor.json("contact", "list"))[0].id);
		await mine.locator("[name=service_name]").fill("raadsl");
		await mine.locator(".suggest button").first().click();
		same(await mine.locator("[name=service_name]").inputValue(), "Sociaal Raadslieden West", "a referral finds it while typing");
		await shot(mine, "referral-directory-nl-laptop");
	});

	await story("the circle", async () => {
		await mine.goto(noor.origin + "/#/kring");
		await mine.getByRole("heading", { name: "Dinsdag" }).waitFor();
		ok(await mine.locator(".cards > li", { hasText: "Amira" }).first().isVisible(), "who is in it");
		await mine.locator("select[name=space]").selectOption("Dinsdag");
		await button(mine, "Maak een uitnodiging").first().click();
		await mine.locator("form:not([hidden]) [name=passphrase]").fill("verkeerd");
		await mine.keyboard.press("Enter");
		await mine.locator("form:not([hidden]) .error", { hasText: "wachtzin" }).waitFor();
		ok(await mine.locator("nav").isVisible(), "a wrong passphrase invites nobody, and locks nothing");
		await mine.locator("form:not([hidden]) [name=passphrase]").fill(passphrase);
		await mine.keyboard.press("Enter");
		await mine.locator(".sheet img").waitFor();
		ok(await mine.locator(".sheet img").evaluate((i) => i.complete && i.naturalWidth > 0), "the invitation is there as a square");
		ok((await mine.locator(".sheet textarea").inputValue()).length > 40, "and as text");
		await shot(mine, "circle-invitation-nl-laptop");
		await accessible(mine, "the circle");
		same((await noor.json("invite", "list")).filter((i) => i.state === "open").length, 1, "one invitation is open");
	});

	await story("twenty tabs and a sync", async () => {
		const tabs = await Promise.all(Array.from({ length: 19 }, async () => {
			const p = await mine.context().newPage();

			await p.goto(noor.origin + "/#/vandaag");
			return p;
		}));
		for (let i = 0; i < 30; i++)
			await noor.cli("contact", "add", "--circle", "Dinsdag", "--text", "Drukke dag " + i);
		await mine.evaluate(async () => (await import("/a/api.js")).ask("sync"));
		const waits = await Promise.all(tabs.map((p) => p.evaluate(async () => {
			const { ask } = await import("/a/api.js");
			const from = performance.now();

			await ask("draft/put", { name: "contact/new/tab", value: JSON.stringify({ text: "x" + Math.random() }) });
			await ask("today");
			return performance.now() - from;
		})));
		console.log("# a draft and today in each of 19 tabs during a sync: the slowest took " + Math.round(Math.max(...waits)) + " ms");
		same(waits.length, 19, "twenty tabs and a sync at once: all are answered");
		await until(() => mine.evaluate(async () => (await (await import("/a/api.js")).ask("state")).sync.wish === "ended"), 20000);
		await mine.evaluate(async () => (await import("/a/api.js")).ask("draft/drop", { name: "contact/new/tab" }));
		await Promise.all(tabs.map((p) => p.close()));
	});
	same([...mine.errors, ...hers.errors], [], "no error on the pages");
	await mine.context().close();
	await hers.context().close();
}

export { button };
