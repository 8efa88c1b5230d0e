// SPDX-License-Identifier: EUPL-1.2
// Goal: Doorverwijzing to the end: to whom, how warm, consent only where something is shared, what came of it; letter and
// slip on paper; the code of a slip opens the loop. Each error says what to do and loses nothing.
import { accessible, ok, same, shot, story, unlock, until } from "./lib.mjs";

const button = (page, name) => page.getByRole("button", { name, exact: true });
const chip = (page, name) => page.getByLabel(name, { exact: true });

export async function referrals({ browser, noor }) {
	const page = await noor.page(browser);
	let code = "";

	if (await page.locator("[name=passphrase]").isVisible())
		await unlock(page);

	await story("from a conversation to a referral", async () => {
		await page.goto(noor.origin + "/#/gesprek/nieuw/verwijs");
		await page.locator("textarea[name=text]").fill("Schuld bij de energie");
		await chip(page, "Geldzaken").check();
		await button(page, "Opslaan en doorverwijzen").click();
		await page.locator("[name=service_name]").waitFor();
		await shot(page, "referral-new-nl-laptop");
		await accessible(page, "a new referral");
		const refused = async (words) => {
			await button(page, "Doorverwijzing opslaan").click();
			await page.locator(".error:not([hidden])", { hasText: words }).waitFor();
		};
		await refused("Typ de naam van de organisatie");
		await page.locator("[name=service_name]").fill("Sociaal Raadslieden");
		await refused("Kies wat voor organisatie");
		await page.locator("[name=group]").selectOption("schulden");
		await refused("Kies hoe je doorverwijst");
		ok(!(await page.getByText("Vindt de bewoner het goed?").isVisible()), "consent is not asked where nothing is shared");
		await chip(page, "Brief of strook meegegeven").check();
		ok(await page.getByText("Vindt de bewoner het goed?").isVisible(), "and is where something is");
		same(await page.locator("[data-name=consent]:checked").count(), 0, "it is never filled in beforehand");
		same(await page.locator("[data-name=follow_up]:checked").getAttribute("value"), "+2w", "the follow-up is proposed by how warm it is");
		await refused("Een brief gaat alleen mee");
		await shot(page, "referral-consent-nl-laptop");
		await accessible(page, "a referral that is refused");
		await chip(page, "Schriftelijk").check();
		await page.locator("[name=consent_what]").fill("Naam en nummer");
		await button(page, "Doorverwijzing opslaan").click();
		await page.locator(".line").waitFor();
		const [r] = await noor.json("referral", "list");
		same([r.service_name, r.group, r.kind, r.domain, r.consent, r.consent_what, r.status], ["Sociaal Raadslieden", "schulden", "brief", "geld", "schriftelijk", "Naam en nummer", "verstuurd"], "it is saved as it was asked");
		ok((await noor.json("contact", "show", r.contact)).follow_up !== null, "with its follow-up");
		code = r.code;
		await shot(page, "referral-nl-laptop");
		await accessible(page, "a referral");
	});

	await story("what came of it", async () => {
		await button(page, "Opslaan wat ervan kwam").click();
		await page.locator(".error", { hasText: "Kies wat ervan kwam" }).waitFor();
		await chip(page, "Niet gelukt").check();
		await button(page, "Opslaan wat ervan kwam").click();
		await page.locator(".error", { hasText: "Kies waarom het niet lukte" }).waitFor();
		await shot(page, "referral-reasons-nl-laptop");
		await accessible(page, "reasons by side");
		await chip(page, "Geen plek").check();
		await chip(page, "Reiskosten").check();
		same(await page.locator("[data-name=reason]:checked").count(), 1, "one reason, on one side");
		await chip(page, "Geen plek").check();
		await button(page, "Opslaan wat ervan kwam").click();
		await page.locator(".line li", { hasText: "Geen plek" }).waitFor();
		await page.getByText("De laatste klopt niet: haal hem weg").click();
		await until(async () => (await page.locator(".line li").count()) === 1);
		ok(true, "a wrong one is taken back");
		await chip(page, "Naar een andere organisatie").check();
		await page.locator("[name=next_name]").fill("Schuldhulp West");
		await page.locator("[name=next_group]").selectOption("schulden");
		await button(page, "Opslaan wat ervan kwam").click();
		await page.locator(".line li", { hasText: "Naar een andere organisatie" }).waitFor();
		ok((await noor.json("referral", "list")).some((r) => r.service_name === "Schuldhulp West" && r.follows), "sent on: the next referral is there");
	});

	await story("the code of a slip", async () => {
		await page.goto(noor.origin + "/#/strook");
		await page.locator("[name=code]").fill("AAAAAAA");
		await button(page, "Opzoeken").click();
		await page.locator(".error:not([hidden])").waitFor();
		await page.locator("[name=code]").fill(code.toLowerCase());
		await button(page, "Opzoeken").click();
		await page.locator("h2", { hasText: "Sociaal Raadslieden" }).waitFor();
		await shot(page, "slip-nl-laptop");
		await accessible(page, "a slip");
		await chip(page, "Hulp gekregen").check();
		await chip(page, "Beter").check();
		await page.locator("[name=changed_text]").fill("Ik slaap weer");
		await button(page, "Opslaan wat ervan kwam").click();
		await page.locator(".facts .yes", { hasText: "Geholpen" }).waitFor();
		const r = (await noor.json("referral", "list")).find((x) => x.code === code);
		same([r.status, r.changed, r.text], ["geholpen", "beter", "Ik slaap weer"], "typing the code closes the loop, with what changed");
	});

	await story("letter and slip", async () => {
		const r = (await noor.json("referral", "list")).find((x) => x.code === code);

		await page.goto(noor.origin + "/#/brief/" + r.id);
		await page.locator("[name=letter_lang]").selectOption("ar");
		await page.locator("[name=whoami]").fill("Noor");
		await page.emulateMedia({ media: "print" });
		const text = await page.locator(".sheet").innerText();
		ok(text.includes(code) && text.includes("Sociaal Raadslieden") && text.includes("Noor"), "the letter has code, organisation and name");
		ok(!text.includes("Geldzaken") && !text.includes("Schuld bij"), "and nothing of what it is about");
		same(await page.locator(".boxes li").count(), 6, "six boxes");
		same(await page.locator(".sign > div").count(), 3, "three signatures");
		ok(await page.locator(".sheet [lang=ar]").first().isVisible(), "the resident's language stands beside the Dutch");
		same(await page.locator(".top").isVisible(), false, "nothing else is printed");
		const pages = (pdf) => (pdf.toString("latin1").match(/\/Type \/Page\b/g) || []).length;
		same(pages(await page.pdf({ preferCSSPageSize: true })), 1, "it fits one A4");
		await shot(page, "letter-a4-ar-print");
		await page.emulateMedia({ media: "screen" });
		await chip(page, "A5, half blad").check();
		await page.emulateMedia({ media: "print" });
		same(pages(await page.pdf({ preferCSSPageSize: true })), 1, "and one A5");
		await page.emulateMedia({ media: "screen" });
		await shot(page, "letter-nl-laptop");
		await accessible(page, "letter and slip");
	});
	same(page.errors, [], "no error on the page");
	await page.context().close();
}
