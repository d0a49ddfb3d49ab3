// What raises a limit, what an airline claims, what stops an agency and what is paid with a code: each by the people whose business
// it is, two of them where two have to agree.
import type { Browser, Page } from '@playwright/test';
import { expect, seriousFaults, shot, signIn, test, type Language, type Role } from './desk.ts';
import { codeSentSince } from './letters.ts';
import { sellTicket } from './selling.ts';

const languages: Language[] = (process.env.LANGUAGES?.split(',') as Language[]) ?? ['en', 'zh-CN'];
const say = {
  en: {
    limit: 'Limit', ask: 'Ask for a temporary limit', onTop: /^On top of the limit/, until: 'Until', reason: 'Reason', waits: 'waits for a second person', approve: 'Approve', approved: 'approved',
    now: 'counts now', sale: /^A sale on credit of/, work: 'Work it out', short: 'The sale would be short by',
  },
  'zh-CN': {
    limit: '额度', ask: '申请临时额度', onTop: /^在额度之上增加/, until: '止', reason: '原因', waits: '等待第二人批准', approve: '批准', approved: '已批准',
    now: '生效中', sale: /^一笔赊销/, work: '试算', short: '该笔销售尚差',
  },
} as const;
const day = (ahead: number) => new Date(Date.now() + ahead * 86_400_000).toISOString().slice(0, 10);

/** Another person, in a browser of their own. */
async function another(browser: Browser, role: Role, language: Language): Promise<Page> {
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, baseURL: process.env.BASE_URL ?? 'http://127.0.0.1:8080' })).newPage();
  await signIn(page, role, { language });
  return page;
}

async function approveNewest(page: Page, kind: string, language: Language): Promise<void> {
  await page.goto(`/approvals?status=pending&kind=${kind}`);
  await page.locator('a[href^="/approvals/"]').first().click();
  await page.getByRole('button', { name: say[language].approve, exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: say[language].approve, exact: true }).click();
  await expect(page.getByText(say[language].approved).first()).toBeVisible({ timeout: 30_000 });
}

async function healthy(page: Page, name: string): Promise<void> {
  await expect(page.locator('[role=status][aria-label]')).toHaveCount(0);
  await page.waitForTimeout(250);
  await shot(page, name);
  expect(await seriousFaults(page)).toEqual([]);
}

async function agencyPage(page: Page, name: RegExp): Promise<void> {
  await page.goto('/agencies');
  await page.getByRole('link', { name }).first().click();
  await expect(page.locator('h1')).toContainText(name);
}

for (const language of languages) {
  const text = say[language];
  test(`two people raise a limit for a while, and the agency sees why (${language})`, async ({ page, browser }) => {
    test.setTimeout(180_000);
    await signIn(page, 'operator', { language });
    await agencyPage(page, /Beijing/);
    await page.getByRole('tab', { name: text.limit, exact: true }).click();
    await page.getByRole('button', { name: text.ask }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel(text.onTop).fill('25000');
    await dialog.getByLabel(text.until).fill(day(10));
    await dialog.getByLabel(text.reason).fill('Spring festival groups');
    await shot(page, `temporary-ask-${language}`);
    await dialog.getByRole('button', { name: text.ask }).click();
    await expect(page.getByText(text.waits)).toBeVisible({ timeout: 30_000 });

    const second = await another(browser, 'second_operator', language);
    await approveNewest(second, 'temporary_limit', language);
    await second.context().close();

    const agency = await another(browser, 'agency', language);
    await agency.goto('/limit');
    await expect(agency.getByText(text.now).first()).toBeVisible({ timeout: 30_000 });
    await expect(agency.getByText('25,000.00').first()).toBeVisible();
    // What would a sale beyond the limit need?
    await agency.getByLabel(text.sale).fill('9000000');
    await agency.getByRole('button', { name: text.work }).click();
    await expect(agency.locator('[data-outlook]')).toContainText(text.short, { timeout: 30_000 });
    await healthy(agency, `why-limit-${language}`);
    await agency.context().close();
    await page.reload();
    await expect(page.getByText(text.now).first()).toBeVisible({ timeout: 30_000 });
    await healthy(page, `agency-limit-${language}`);
  });
}

test('an airline claims, the agency disputes, and two people decide', async ({ page, browser }) => {
  test.setTimeout(240_000);
  await signIn(page, 'agency');
  const number = await sellTicket(page, '3U');

  const airline = await another(browser, 'airline', 'en');
  await airline.goto(`/memos/new?ticket=${number}`);
  await airline.getByRole('combobox', { name: 'Reason' }).click();
  await airline.getByRole('option').first().click();
  await airline.getByLabel('Explanation').fill('The fare of the booking class was filed higher on that day.');
  await airline.getByLabel(/^Amount 1/).fill('40');
  await expect(airline.getByText('It cost')).toBeVisible({ timeout: 30_000 });
  await healthy(airline, 'memo-new');
  await airline.getByRole('button', { name: 'Claim', exact: true }).click();
  await expect(airline).toHaveURL(/\/memos\/mem/, { timeout: 30_000 });
  const address = new URL(airline.url()).pathname;

  await page.goto('/memos');
  await expect(page.getByText('issued').first()).toBeVisible({ timeout: 30_000 });
  await healthy(page, 'memos-agency');
  await page.goto(address);
  await page.getByRole('button', { name: 'Dispute', exact: true }).click();
  const dispute = page.getByRole('dialog');
  await dispute.getByRole('combobox', { name: 'Reason' }).click();
  await page.getByRole('option').first().click();
  await dispute.getByLabel('Explanation').fill('A waiver was granted by the sales office.');
  await shot(page, 'memo-dispute');
  await dispute.getByRole('button', { name: 'Dispute', exact: true }).click();
  await expect(page.locator('h1')).toContainText('disputed', { timeout: 30_000 });

  await airline.reload();
  await airline.getByRole('button', { name: 'Answer the dispute' }).click();
  await airline.getByRole('dialog').getByLabel('Explanation').fill('The waiver was for another flight.');
  await airline.getByRole('dialog').getByRole('button', { name: 'Answer the dispute' }).click();
  await expect(airline.locator('h1')).toContainText('dispute answered', { timeout: 30_000 });
  await healthy(airline, 'memo-airline');
  await airline.context().close();

  const operator = await another(browser, 'operator', 'en');
  await operator.goto(address);
  await operator.getByRole('button', { name: 'Propose a decision' }).click();
  await operator.getByRole('dialog').getByLabel(/^Upheld amount/).fill('25');
  await operator.getByRole('dialog').getByLabel('Reason', { exact: true }).fill('Half of it was waived.');
  await shot(operator, 'memo-decide');
  await operator.getByRole('dialog').getByRole('button', { name: 'Propose a decision' }).click();
  await expect(operator.getByText('a decision waits for a second person')).toBeVisible({ timeout: 30_000 });
  await healthy(operator, 'memo-operator');
  const second = await another(browser, 'second_operator', 'en');
  await approveNewest(second, 'memo_decision', 'en');
  await second.context().close();
  await operator.context().close();

  await page.reload();
  await expect(page.locator('h1')).toContainText('posted', { timeout: 30_000 });
  await expect(page.getByText('25.00').first()).toBeVisible();
  await healthy(page, 'memo-posted');
});

test('a kill switch is thrown on some of what an agency does, and two people lift it', async ({ page, browser }) => {
  test.setTimeout(180_000);
  await signIn(page, 'operator');
  await agencyPage(page, /Shanghai/);
  await page.getByRole('button', { name: 'Throw a kill switch' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(/^keys/).uncheck();
  await dialog.getByLabel(/^refunds/).uncheck();
  await dialog.getByLabel('Reason').fill('Sales at night that nobody explains');
  await shot(page, 'switch-throw');
  await dialog.getByRole('button', { name: 'Throw a kill switch' }).click();
  await expect(page.locator('[data-switch]')).toContainText('issuing · money out', { timeout: 30_000 });
  await healthy(page, 'agency-frozen');

  const agency = await another(browser, 'second_agency', 'en');
  await agency.goto('/limit');
  await expect(agency.getByText(/^Frozen: issuing · money out$/)).toBeVisible({ timeout: 30_000 });
  await agency.context().close();

  await page.goto('/kill-switches');
  await page.getByRole('button', { name: 'Ask to lift it' }).first().click();
  await page.getByRole('dialog').getByLabel('Reason').fill('A group that was announced late');
  await page.getByRole('dialog').getByRole('button', { name: 'Ask to lift it' }).click();
  await expect(page.getByText('lifting waits for a second person').first()).toBeVisible({ timeout: 30_000 });
  await healthy(page, 'switches');
  const second = await another(browser, 'second_operator', 'en');
  await approveNewest(second, 'unfreeze', 'en');
  await second.context().close();
  await page.goto('/kill-switches?on=all');
  await expect(page.getByText('lifted').first()).toBeVisible({ timeout: 30_000 });
});

test('a large payout is made with the code that came by e-mail, and another code is refused', async ({ page }) => {
  test.setTimeout(180_000);
  await signIn(page, 'operator');
  // So that there is something to pay out, however often this is played.
  await page.goto('/receipts?new=wallet');
  const receipt = page.getByRole('dialog');
  await receipt.getByRole('combobox', { name: 'From' }).click();
  await page.getByRole('option', { name: /Guangzhou/ }).click();
  await receipt.getByLabel('Amount').fill('70000');
  await receipt.getByLabel('Bank reference').fill(`E2E-W-${Date.now()}`);
  await receipt.getByRole('button', { name: 'Check' }).click();
  await receipt.getByLabel(/type/).fill('70000');
  await receipt.getByRole('button', { name: 'Record', exact: true }).click();
  await expect(receipt.locator('[data-done]')).toBeVisible({ timeout: 30_000 });

  await agencyPage(page, /Guangzhou/);
  await page.getByRole('tab', { name: 'Security and payouts' }).click();
  await page.getByRole('button', { name: 'Pay client money back' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('combobox', { name: 'Purpose' }).click();
  await page.getByRole('option', { name: 'Withdrawn from the wallet' }).click();
  await dialog.getByLabel(/^Amount/).fill('60000');
  await dialog.getByLabel(/^Reference/).fill(`E2E-P-${Date.now()}`);
  await dialog.getByRole('button', { name: 'Check' }).click();
  await dialog.getByLabel(/type/).fill('60000');
  await dialog.getByRole('button', { name: 'Pay', exact: true }).click();
  await expect(dialog.getByText('This payment needs a code')).toBeVisible({ timeout: 30_000 });
  const since = Date.now() - 1000;
  await dialog.getByRole('button', { name: 'Send me the code' }).click();
  await expect(dialog.getByText(/The code was sent to admin@/)).toBeVisible({ timeout: 30_000 });
  const code = await codeSentSince(since);
  const wrong = code.replace(/.$/, (last) => String((Number(last) + 1) % 10));
  await dialog.getByLabel('Code from the e-mail').fill(wrong);
  await dialog.getByRole('button', { name: 'Pay', exact: true }).click();
  await expect(dialog.locator('[data-code] [role=alert]')).toBeVisible({ timeout: 30_000 });
  await healthy(page, 'payout-code');
  await dialog.getByLabel('Code from the e-mail').fill(code);
  await dialog.getByRole('button', { name: 'Pay', exact: true }).click();
  await expect(dialog.locator('[data-done]')).toContainText('60,000.00', { timeout: 30_000 });
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await expect(page.getByText('Withdrawn from the wallet').first()).toBeVisible({ timeout: 30_000 });
  await healthy(page, 'agency-security');
});

test('the operator adopts a score card and a velocity rule, first only noted', async ({ page }) => {
  test.setTimeout(120_000);
  await signIn(page, 'operator');
  await page.goto('/score-cards');
  await page.getByRole('button', { name: /^(First card|Next version)$/ }).click();
  await page.getByLabel('Bands: points').first().fill('5000=100, 8000=60, 20');
  await healthy(page, 'score-card-new');
  await page.getByRole('button', { name: 'Adopt' }).click();
  await expect(page.getByText('< 5000: 100').first()).toBeVisible({ timeout: 30_000 });
  await healthy(page, 'score-card');

  await page.goto('/velocity?tab=rules');
  await page.getByRole('button', { name: 'New rule' }).click();
  const dialog = page.getByRole('dialog');
  const code = `night_${Date.now() % 1_000_000}`;
  await dialog.getByLabel('Code').fill(code);
  await dialog.getByLabel('At most').fill('50');
  await dialog.getByLabel('Only between hours').fill('22-6');
  await shot(page, 'velocity-rule-new');
  await dialog.getByRole('button', { name: 'New rule' }).click();
  await expect(page.getByText(code).first()).toBeVisible({ timeout: 30_000 });
  await healthy(page, 'velocity-rules');
});

test('one payment in two tabs is paid once', async ({ page, context }) => {
  test.setTimeout(120_000);
  await signIn(page, 'operator');
  await agencyPage(page, /Guangzhou/);
  const address = `${page.url()}?tab=security`;
  const other = await context.newPage();
  const reference = `E2E-T-${Date.now()}`;
  const tabs = [page, other];
  for (const tab of tabs) {
    await tab.goto(address);
    await tab.getByRole('button', { name: 'Pay client money back' }).click();
    const dialog = tab.getByRole('dialog');
    await dialog.getByRole('combobox', { name: 'Purpose' }).click();
    await tab.getByRole('option', { name: 'Withdrawn from the wallet' }).click();
    await dialog.getByLabel(/^Amount/).fill('120');
    await dialog.getByLabel(/^Reference/).fill(reference);
    await dialog.getByRole('button', { name: 'Check' }).click();
  }
  await Promise.all(tabs.map((tab) => tab.getByRole('dialog').getByRole('button', { name: 'Pay', exact: true }).click()));
  await Promise.all(tabs.map((tab) => expect(tab.getByRole('dialog').locator('[data-done]')).toBeVisible({ timeout: 30_000 })));
  const said = await Promise.all(tabs.map((tab) => tab.getByRole('dialog').locator('[data-done]').innerText()));
  expect(said.filter((text) => text.includes('Had been paid already'))).toHaveLength(1);
  await page.goto(address);
  await expect(page.getByText(reference)).toHaveCount(1);
});
