// What goes wrong around money: nothing is done twice, and the person is told what happened.
import { expect, signIn, test, type Role } from './desk.ts';
import type { Page } from '@playwright/test';

const day = (ahead: number) => new Date(Date.now() + ahead * 86_400_000).toISOString().slice(0, 10);
let turn = Math.floor(Date.now() / 1000) % 100;

async function toConfirmation(page: Page, role: Role = 'agency', family = 'Zhang', given = 'Wei'): Promise<void> {
  await signIn(page, role);
  turn += 1;
  await page.goto(`/sell?from=PEK&to=SHA&date=${day(30 + (turn % 70))}&go=1`);
  await page.getByRole('link', { name: 'Choose' }).first().click({ timeout: 30_000 });
  await page.getByLabel('Family name', { exact: true }).fill(family);
  await page.getByLabel('Given name', { exact: true }).fill(given);
  await page.getByLabel('Born on', { exact: true }).fill('19900228');
  await page.getByLabel('Phone', { exact: true }).fill('+8613800138000');
  await page.getByLabel('E-mail', { exact: true }).fill('traveller@example.com');
  await page.getByRole('button', { name: 'Go on to the confirmation' }).click();
}
const issue = (page: Page) => page.getByRole('button', { name: /^Issue \d ticket/ });
const orders = (page: Page) => {
  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST' && new URL(request.url()).pathname === '/air/orders' && !request.url().includes('dry_run')) {
      sent.push(request.headers()['idempotency-key'] ?? '');
    }
  });
  return sent;
};

test('a double click sells once', async ({ page }) => {
  const sent = orders(page);
  await toConfirmation(page);
  await expect(issue(page)).toBeEnabled({ timeout: 30_000 });
  await issue(page).dblclick();
  await expect(page.locator('[data-sold]')).toBeVisible({ timeout: 30_000 });
  expect(sent).toHaveLength(1);
});

test('Back after paying shows the order instead of paying again', async ({ page }) => {
  const sent = orders(page);
  await toConfirmation(page);
  await issue(page).click({ timeout: 30_000 });
  await expect(page.locator('[data-sold]')).toBeVisible({ timeout: 30_000 });
  await page.getByRole('link', { name: 'Open the order' }).click();
  await expect(page).toHaveURL(/\/orders\//);
  await page.goBack();
  await expect(page.getByText('This offer has been ordered already')).toBeVisible();
  expect(sent).toHaveLength(1);
});

test('a lost answer is asked for again with the same key', async ({ page }) => {
  const sent = orders(page);
  await toConfirmation(page);
  let lost = 0;
  await page.route('**/air/orders', async (route) => {
    if (route.request().method() !== 'POST' || lost > 0) return route.continue();
    lost += 1;
    // The request arrives, its answer does not.
    await route.fetch();
    await route.abort('connectionreset');
  });
  await issue(page).click({ timeout: 30_000 });
  await expect(page.getByText('No answer yet')).toBeVisible();
  await expect(page.locator('[data-sold]')).toBeVisible({ timeout: 30_000 });
  expect(sent.length).toBeGreaterThanOrEqual(2);
  expect(new Set(sent).size).toBe(1);
});

test('a reload after sending asks what happened, with the key that was used', async ({ page }) => {
  const sent = orders(page);
  await toConfirmation(page);
  await page.route('**/air/orders', async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    await route.fetch();
    await route.abort('connectionreset');
  });
  await issue(page).click({ timeout: 30_000 });
  await expect(page.getByText('No answer yet')).toBeVisible();
  await page.unroute('**/air/orders');
  await page.reload();
  await page.getByRole('button', { name: 'Ask what happened' }).click({ timeout: 30_000 });
  await expect(page.locator('[data-sold]')).toBeVisible({ timeout: 30_000 });
  expect(new Set(sent).size).toBe(1);
});

test('an expired session leaves the work where it was', async ({ page, context }) => {
  const sent = orders(page);
  await toConfirmation(page);
  await expect(issue(page)).toBeEnabled({ timeout: 30_000 });
  await context.clearCookies();
  await issue(page).click();
  await expect(page.getByText('You were signed out')).toBeVisible({ timeout: 30_000 });
  await page.locator('input[autocomplete=current-password]').fill((await import('./desk.ts')).personOf('agency').password);
  await page.getByRole('dialog').getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByText('You were signed out')).toBeHidden({ timeout: 30_000 });
  await issue(page).click({ timeout: 30_000 });
  await expect(page.locator('[data-sold]')).toBeVisible({ timeout: 30_000 });
  expect(sent.length).toBeGreaterThanOrEqual(2);
});

test('a name that airlines cannot print leads back to its field', async ({ page }) => {
  await toConfirmation(page, 'agency', 'محمد', 'Wei 🙂');
  await expect(page.getByLabel('Family name', { exact: true })).toBeVisible({ timeout: 30_000 });
  await expect(page.locator('[aria-invalid=true]').first()).toBeVisible();
  await expect(page.getByLabel('Given name', { exact: true })).toHaveValue('Wei 🙂');
});

test('a refusal for money says how much is short', async ({ page }) => {
  await toConfirmation(page, 'wallet_agency');
  await expect(issue(page).or(page.getByText('Short by').first())).toBeVisible({ timeout: 30_000 });
});
