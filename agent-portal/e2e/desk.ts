// What the journeys share: signing in as somebody of the demo data, looking at a page with axe, taking its picture.
import { expect, test as base, type Page } from '@playwright/test';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const demoFile = process.env.AIRSETTLE_DEMO ?? '../data/demo.json';
interface SignIn {
  organisation: string;
  roles: string[];
  email: string;
  password: string;
}
export const demo = JSON.parse(readFileSync(demoFile, 'utf8')) as { sign_ins: SignIn[] };

export type Role = 'agency' | 'agent' | 'second_agency' | 'wallet_agency' | 'operator' | 'second_operator' | 'airline' | 'bank';
const people: Record<Role, [organisation: RegExp, role: string]> = {
  agency: [/Beijing/, 'admin'],
  agent: [/Beijing/, 'agent'],
  second_agency: [/Shanghai/, 'admin'],
  wallet_agency: [/Guangzhou/, 'admin'],
  operator: [/Airsettle/, 'admin'],
  second_operator: [/Airsettle/, 'operations'],
  airline: [/Airlines/, 'finance'],
  bank: [/Bank/, 'viewer'],
};
export function personOf(role: Role): SignIn {
  const [organisation, name] = people[role];
  const found = demo.sign_ins.find((one) => organisation.test(one.organisation) && one.roles.includes(name));
  if (!found) throw new Error(`${demoFile} has no sign-in for ${role}`);
  return found;
}

export type Language = 'zh-CN' | 'en';
export type Look = { language: Language; scheme: 'light' | 'dark' };

export async function signIn(page: Page, role: Role, look: Partial<Look> = {}): Promise<void> {
  const { language = 'en', scheme = 'light' } = look;
  await page.addInitScript(
    ([chosen, colours]) => {
      if (!localStorage.getItem('desk.language')) localStorage.setItem('desk.language', chosen!);
      if (!localStorage.getItem('desk.scheme')) localStorage.setItem('desk.scheme', colours!);
    },
    [language, scheme],
  );
  await page.goto('/');
  const found = personOf(role);
  await page.locator('input[type=email]').fill(found.email);
  await page.locator('input[autocomplete=current-password]').fill(found.password);
  await page.locator('button[type=submit]').click();
  await expect(page.locator('nav, [aria-haspopup]').first()).toBeAttached();
  await expect(page.locator('h1')).toBeVisible();
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Nothing serious, by the rules of WCAG 2.2 AA. */
export async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: { run: (context: unknown, options: unknown) => Promise<{ violations: { id: string; impact: string; nodes: { target: string[]; failureSummary: string }[] }[] }> };
    };
    const result = await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] });
    return result.violations.map((one) => ({ id: one.id, impact: one.impact, nodes: one.nodes.map((node) => `${node.target.join(' ')}: ${node.failureSummary}`) }));
  });
  return found
    .filter((one) => one.impact === 'serious' || one.impact === 'critical')
    .map((one) => `${one.id}: ${one.nodes.slice(0, 3).join(' | ')}`);
}

export async function shot(page: Page, name: string): Promise<void> {
  mkdirSync('e2e/shots', { recursive: true });
  await page.screenshot({ path: `e2e/shots/${name}.png`, fullPage: true });
}

/** Every test fails on what the console calls an error, such as something that the content security policy forbids. */
export const test = base.extend<{ quiet: string[] }>({
  quiet: [
    async ({ page }, use) => {
      const said: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) said.push(message.text());
      });
      page.on('pageerror', (error) => said.push(String(error)));
      await use(said);
      expect(said).toEqual([]);
    },
    { auto: true },
  ],
});
export { expect };
