// SPDX-License-Identifier: EUPL-1.2
// Goal: every screen for everybody: in each language and both directions, on a laptop, at 360 px and at 200 %, by keyboard
// alone, with motion reduced and colours forced. What a machine can see is checked; the pictures are for looking at.
import { accessible, ok, same, shot, story, unlock, until } from "./lib.mjs";

const screens = async (home) => {
	const c = (await home.json("contact", "list")).find((x) => x.resident) ?? (await home.json("contact", "list"))[0];
	const r = (await home.json("referral", "list"))[0];

	return { today: "vandaag", "talk-new": "gesprek/nieuw/iedereen", talk: "gesprek/" + c.id, "referral-new": "doorverwijzing/nieuw/" + c.id, referral: "doorverwijzing/" + r.id,
		letter: "brief/" + r.id, sync: "versturen", search: "zoeken", versions: "versies", slip: "strook", directory: "wegwijzer", circle: "kring", employer: "werkgever", settings: "instellingen" };
};

async function setLang(page, lang) {
	await page.evaluate((l) => localStorage.setItem("lang", l), lang);
	await page.reload();
	await page.waitForFunction((l) => document.documentElement.lang === l && document.querySelector("main h1"), lang);
}

// Wider than the window, or too small to hit.
const misfits = (page) => page.evaluate(() => {
	const wide = document.documentElement.scrollWidth > document.documentElement.clientWidth + 1 ? ["page is " + document.documentElement.scrollWidth + " wide"] : [];
	const small = [...document.querySelectorAll("button, nav a, footer a, .button, .chip, select, input:not([type=checkbox]):not([type=radio]), summary")]
		.filter((e) => e.offsetParent && e.getBoundingClientRect().height < 43.5).map((e) => e.tagName + " " + e.textContent.trim().slice(0, 20) + " " + e.getBoundingClientRect().height);

	return [...wide, ...small];
});

export async function everyone({ browser, amira: home }) {
	// nothing hostile in it, and enough of everything
	const at = home.origin ? await home.json("contact", "list") : [];
	const page = await home.page(browser);

	if (await page.locator("[name=passphrase]").isVisible())
		await unlock(page);
	const circle = (await home.json("circle", "list"))[0]?.name;
	const inCircle = circle ? ["--circle", circle] : [];
	await home.cli("contact", "add", ...inCircle, "--text", "Brief van de belastingdienst. Samen gelezen en gebeld.", "--resident", "Fatima", "--domain", "geld,papieren", "--did", "luisteren,bellen", "--follow-up", "today");
	const c = (await home.json("contact", "list"))[0];
	await home.cli("referral", "add", "--contact", c.id, "--service-name", "Buurtteam Bos en Lommer", "--group", "buurtteam", "--kind", "mee", "--domain", "geld", "--date", "-20d");
	await home.cli("sync").catch(() => {});
	const all = await screens(home);

	for (const lang of ["nl", "ar", "tr", "en"]) {
		await setLang(page, lang);
		same(await page.evaluate(() => document.documentElement.dir), lang === "ar" ? "rtl" : "ltr", lang + ": the direction is right");
		for (const [size, viewport] of Object.entries({ laptop: { width: 1280, height: 800 }, small: { width: 360, height: 740 } })) {
			await page.setViewportSize(viewport);
			for (const [name, place] of Object.entries(all)) {
				await page.goto(home.origin + "/#/" + place);
				await page.waitForFunction((p) => document.querySelector("main")?.dataset.ready === p, place);
				if (lang === "nl" || lang === "ar" || size === "small")
					await shot(page, [name, lang, size].join("-"));
				const found = await misfits(page);
				if (found.length > 0)
					ok(false, [name, lang, size].join(" ") + ": nothing too wide or too small", found.join("\n"));
				if (lang === "nl" || lang === "ar")
					await accessible(page, [name, lang, size].join(" "));
			}
		}
	}
	ok(true, "every screen in four languages and two sizes was looked at by the machine");

	await story("200 %", async () => {
		await setLang(page, "nl");
		await page.setViewportSize({ width: 640, height: 400 });
		await page.goto(home.origin + "/#/gesprek/nieuw/groot");
		await page.locator("textarea[name=text]").waitFor();
		same(await misfits(page), [], "at 200 % everything fits");
		await page.setViewportSize({ width: 1280, height: 800 });
	});

	await story("motion and colours", async () => {
		await page.emulateMedia({ reducedMotion: "reduce" });
		same(await page.evaluate(() => getComputedStyle(document.querySelector("button")).transitionDuration), "0s", "nothing moves where motion is reduced");
		await page.emulateMedia({ reducedMotion: null, forcedColors: "active" });
		await page.locator(".chip input").first().check();
		await shot(page, "talk-forced-colours");
		await page.emulateMedia({ forcedColors: null });
	});

	await story("by keyboard alone", async () => {
		const stops = [];

		await page.goto(home.origin + "/#/vandaag");
		await page.goto(home.origin + "/#/gesprek/nieuw/toetsen");
		await until(() => page.evaluate(() => document.activeElement.name === "text"));
		for (let i = 0; i < 40; i++) {
			const at_ = await page.evaluate(() => {
				const e = document.activeElement;
				const style = getComputedStyle(e.matches(".chip input") ? e.nextElementSibling : e);
				const box = e.getBoundingClientRect();

				return { name: e.dataset?.name || e.name || e.textContent.trim().slice(0, 20) || e.tagName, seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2, inside: box.bottom > 0 && box.top < innerHeight, body: e === document.body };
			});

			if (at_.body)
				break;
			stops.push(at_);
			await page.keyboard.press("Tab");
		}
		const order = stops.map((s) => s.name);
		const index = (n) => order.findIndex((x) => x === n);
		ok(index("text") < index("domains") && index("domains") < index("did") && index("did") < index("follow_up") && index("follow_up") < index("Gesprek opslaan"), "the focus goes in the order of the work", order.join(", "));
		same(stops.filter((s) => !s.seen && s.name !== "BODY").map((s) => s.name), [], "it can always be seen");
		same(stops.filter((s) => !s.inside).map((s) => s.name), [], "and is never off the screen");
		ok(order.length <= 14, "few stops: " + order.length);
		await page.keyboard.press("/");
		await page.goto(home.origin + "/#/vandaag");
		await page.locator("main h1").waitFor();
		await page.keyboard.press("/");
		await until(() => page.evaluate(() => document.activeElement.name === "words"));
		await page.keyboard.type("belasting");
		await page.locator(".cards a").first().waitFor();
		ok(true, "/ goes to the search, results come while typing");
	});
	same(page.errors, [], "no error on the page");
	await page.context().close();
	return at;
}
