// Every page that can be reached without an object, for every role, in both languages, light and dark, wide and narrow: axe finds
// nothing serious, nothing is wider than the screen, no text is missing, and a picture is kept.
import { expect, seriousFaults, shot, signIn, test, type Role } from './desk.ts';

const roles: Role[] = ['agency', 'operator', 'bank', 'airline'];
const every = [
  { language: 'zh-CN', scheme: 'light', width: 1440 },
  { language: 'en', scheme: 'dark', width: 390 },
  { language: 'en', scheme: 'dark', width: 1440 },
  { language: 'zh-CN', scheme: 'light', width: 390 },
] as const;
// The first two have each language, scheme and width once.
const looks = process.env.LOOKS === 'short' ? every.slice(0, 2) : every;
const chosen = process.env.ROLES?.split(',');

for (const look of looks) {
  for (const role of roles.filter((one) => !chosen || chosen.includes(one))) {
    test(`${role}: every page, ${look.language} ${look.scheme} ${look.width}`, async ({ page }) => {
      test.setTimeout(400_000);
      await page.setViewportSize({ width: 1440, height: 900 });
      await signIn(page, role, look);
      const paths = await page.locator('nav a').evaluateAll((links) => links.map((link) => new URL((link as HTMLAnchorElement).href).pathname));
      await page.setViewportSize({ width: look.width, height: look.width > 800 ? 900 : 844 });
      const faults: string[] = [];
      // And what a first line leads to: an agency with its tabs, a memo, an approval, a proof, a line.
      for (const list of ['/agencies', '/memos', '/approvals', '/cash-proofs', '/lines'].filter((one) => paths.includes(one))) {
        await page.goto(list);
        await expect(page.locator('h1')).toBeVisible();
        await expect(page.locator('[role=status][aria-label]')).toHaveCount(0);
        await page.waitForTimeout(400);
        const first = page.locator(`main a[href^="${list}/"]:not([href$="/new"])`).first();
        if ((await first.count()) === 0) continue;
        const path = new URL(await first.evaluate((link) => (link as HTMLAnchorElement).href)).pathname;
        paths.push(path, ...(list === '/agencies' ? ['limit', 'score', 'security'].map((tab) => `${path}?tab=${tab}`) : []));
      }
      const named = (path: string) => path.replace(/_[0-9a-z]{10,}/, '').replace(/[/?=]/g, '_');
      for (const path of paths) {
        await page.goto(path);
        await expect(page.locator('h1')).toBeVisible();
        await expect(page.locator('[role=status][aria-label]')).toHaveCount(0);
        await page.waitForTimeout(250);
        await shot(page, `${role}${named(path)}-${look.language}-${look.scheme}-${look.width}`);
        for (const fault of await seriousFaults(page)) faults.push(`${path}: ${fault}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (wide > 1) faults.push(`${path}: ${wide} px wider than the screen`);
      }
      expect(faults).toEqual([]);
    });
  }
}
