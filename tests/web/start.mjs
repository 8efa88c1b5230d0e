// SPDX-License-Identifier: EUPL-1.2
// Goal: from nothing to the first conversation: name, passphrase (its strength in words, shown, pasted), recovery sheet,
// alone or with an invitation. The home that was made opens on the command line too.
import { Home, accessible, ok, passphrase, same, shot, story, until } from "./lib.mjs";

const button = (page, name) => page.getByRole("button", { name, exact: true });

export async function start({ browser }) {
	const home = Home.none("piet");

	await story("the first start", async () => {
		const page = await home.page(browser, { viewport: { width: 1280, height: 800 } });

		await page.locator("h1", { hasText: "Welkom" }).waitFor();
		await accessible(page, "welcome");
		await shot(page, "start-1-nl-laptop");
		await button(page, "Volgende").click();
		await page.locator(".error", { hasText: "Typ de naam" }).waitFor();
		await page.locator("[name=nick]").fill("Piet");
		await page.keyboard.press("Enter");
		await page.locator("h1", { hasText: "Kies je wachtzin" }).waitFor();
		const pass = page.locator("[name=passphrase]");
		await pass.fill("welkom1");
		ok((await page.locator("form [role=status]").textContent()).startsWith("Makkelijk te raden"), "a weak passphrase is told in words");
		await pass.fill("");
		await pass.focus();
		await page.keyboard.insertText(passphrase); // as pasting does
		same(await page.locator("form [role=status]").textContent(), "Sterk.", "and so is a strong one");
		await button(page, "Tonen").click();
		same(await pass.getAttribute("type"), "text", "it can be shown");
		await shot(page, "start-2-nl-laptop");
		await accessible(page, "choosing a passphrase");
		await button(page, "Maak mijn plek").click();
		await page.locator("h1", { hasText: "Papier voor als je hem vergeet" }).waitFor();
		await button(page, "Maak het blad").click();
		await page.locator(".words li").first().waitFor();
		same(await page.locator(".words li").count(), 16, "sixteen words for on paper");
		await shot(page, "start-3-nl-laptop");
		await accessible(page, "the recovery sheet");
		await button(page, "Volgende").click();
		await page.locator("[name=invitation]").fill("dit is geen uitnodiging");
		await button(page, "Gebruik deze uitnodiging").click();
		await page.locator(".error:not([hidden])").waitFor();
		ok(await page.locator("[name=invitation]").inputValue() !== "", "what is no invitation is told, and stays to be mended");
		await shot(page, "start-4-nl-laptop");
		await accessible(page, "with whom");
		await button(page, "Alleen beginnen").click();
		await page.locator("h1", { hasText: "Vandaag" }).waitFor();
		await page.evaluate(async () => (await import("/a/api.js")).ask("contact/save", { text: "Het eerste gesprek" }));
		same((await home.json("contact", "list")).map((c) => c.text), ["Het eerste gesprek"], "the first conversation is there for the command line too");
		await page.goto(home.origin + "/#/instellingen");
		await button(page, "Sleutelbos afsluiten").click();
		await page.locator("h1", { hasText: "Sleutelbos is afgesloten" }).waitFor();
		await until(() => home.pids().all.length === 0);
		ok(true, "closing it leaves no process");
		same((await home.json("contact", "list")).length, 1, "and the passphrase opens it again");
		same(page.errors, [], "no error on the page");
		await page.context().close();
	});
	await home.end().catch(() => {});
}
