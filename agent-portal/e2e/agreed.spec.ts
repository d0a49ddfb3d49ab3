// What nobody does alone: where an airline is paid, and how much a bank line lends. And the receipt that a traveller is given.
import type { Browser, Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { expect, seriousFaults, shot, signIn, test, type Language } from './desk.ts';
import { sellTicket } from './selling.ts';

const languages: Language[] = (process.env.LANGUAGES?.split(',') as Language[]) ?? ['en', 'zh-CN'];
const say = {
  en: {
    raise: 'Ask for a higher limit', limit: /^Limit/, reason: 'Reason', why: 'Reason', elsewhere: 'Change the account', account: 'New account', approve: 'Approve', approved: 'approved',
    pdf: 'Receipt (PDF)', to: 'Send to', send: 'Send by e-mail', sent: 'sent',
  },
  'zh-CN': {
    raise: '申请提高额度', limit: /^额度/, reason: '原因', why: '理由', elsewhere: '变更收款账户', account: '新账户', approve: '批准', approved: '已批准', pdf: '行程单（PDF）', to: '发送至',
    send: '用电子邮件发送', sent: '已发送',
  },
} as const;

async function secondPersonAgrees(browser: Browser, kind: string, language: Language): Promise<void> {
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, baseURL: process.env.BASE_URL ?? 'http://127.0.0.1:8080' })).newPage();
  await signIn(page, 'second_operator', { language });
  await page.goto(`/approvals?status=pending&kind=${kind}`);
  await page.locator('a[href^="/approvals/"]').first().click();
  await page.getByRole('button', { name: say[language].approve, exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: say[language].approve, exact: true }).click();
  await expect(page.getByText(say[language].approved).first()).toBeVisible({ timeout: 30_000 });
  await healthy(page, `agreed-${kind}-${language}`);
  await page.context().close();
}

async function healthy(page: Page, name: string): Promise<void> {
  await expect(page.locator('[role=status][aria-label]')).toHaveCount(0);
  await page.waitForTimeout(250);
  await shot(page, name);
  expect(await seriousFaults(page)).toEqual([]);
}

for (const language of languages) {
  const text = say[language];
  const once = String(Date.now() % 1_000_000);

  test(`a bank line lends more once two people agree (${language})`, async ({ page, browser }) => {
    await signIn(page, 'operator', { language });
    await page.goto('/lines');
    await page.locator('main a[href^="/lines/"]').first().click();
    await page.getByRole('button', { name: text.raise }).click();
    const dialog = page.getByRole('dialog');
    const limit = `9${once.padStart(7, '0')}`;
    await dialog.getByLabel(text.limit).fill(limit);
    await dialog.getByLabel(text.reason).fill('The bank has agreed');
    await dialog.getByRole('button', { name: text.raise }).click();
    await expect(dialog).toBeHidden({ timeout: 30_000 });
    await secondPersonAgrees(browser, 'set_facility_limit', language);
    await page.reload();
    await expect(page.getByText(`${Number(limit).toLocaleString('en-US')}.00`).first()).toBeVisible({ timeout: 30_000 });
    await healthy(page, `line-raised-${language}`);
  });

  test(`an airline is paid elsewhere once two people agree (${language})`, async ({ page, browser }) => {
    await signIn(page, 'operator', { language });
    await page.goto('/airlines');
    const row = page.getByRole('row', { name: /China Eastern/ });
    await row.getByRole('button', { name: text.elsewhere }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel(text.account).fill(`CN-${once}`);
    await dialog.getByLabel(text.why).fill('A letter of the airline');
    await shot(page, `payee-ask-${language}`);
    expect(await seriousFaults(page)).toEqual([]);
    await dialog.getByRole('button', { name: text.elsewhere }).click();
    await expect(dialog).toBeHidden({ timeout: 30_000 });
    await expect(row.getByText(`CN-${once}`)).toHaveCount(0);
    await secondPersonAgrees(browser, 'change_payee', language);
    await page.reload();
    await expect(row.getByText(`CN-${once}`)).toBeVisible({ timeout: 30_000 });
  });

  test(`a traveller's receipt is saved and sent (${language})`, async ({ page }) => {
    await signIn(page, 'agency', { language });
    const number = await sellTicket(page, 'CA');
    await page.goto(`/tickets/${number}`);
    await page.locator('main a[href^="/orders/ord_"]').first().click();
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: text.pdf }).click();
    const file = readFileSync((await (await saving).path())!);
    expect(file.subarray(0, 5).toString()).toBe('%PDF-');
    await page.getByLabel(text.to).fill('traveller@example.com');
    await page.getByRole('button', { name: text.send }).click();
    await expect(page.getByText(text.sent, { exact: true })).toBeVisible({ timeout: 60_000 });
    await healthy(page, `receipt-sent-${language}`);
  });
}
