// The journeys of an agency, against a real server, in both languages. Selling goes by keyboard alone.
import type { Page } from '@playwright/test';
import { expect, seriousFaults, shot, signIn, test, type Language } from './desk.ts';

const languages: Language[] = (process.env.LANGUAGES?.split(',') as Language[]) ?? ['en', 'zh-CN'];
const say = {
  en: {
    choose: 'Choose', confirmStep: 'Go on to the confirmation', issue: /^Issue \d ticket/, hold: 'Hold, pay later', holdNow: 'Hold now', pay: 'Pay now', void: 'Void',
    voidNow: 'Void now', refund: 'Refund', quote: 'Quote', refundNow: 'Refund now', change: 'Exchange', changeThis: 'Change this', searchOther: 'Search other flights',
    exchangeNow: 'Exchange now', open: 'Open the order', family: 'Family name', given: 'Given name', born: 'Born on', search: 'Search', ask: 'Ask what happened',
    already: 'This offer has been ordered already', priceAgain: 'Price again', takeBack: 'Take the exchange back', takeBackNow: 'Take it back now',
  },
  'zh-CN': {
    choose: '选择', confirmStep: '继续，前往确认', issue: /^出票 \d 张/, hold: '保留，稍后付款', holdNow: '立即保留', pay: '立即付款', void: '废票',
    voidNow: '立即废票', refund: '退票', quote: '查询退款金额', refundNow: '立即退票', change: '改签', changeThis: '改签此航程', searchOther: '搜索其他航班',
    exchangeNow: '立即改签', open: '打开订单', family: '姓', given: '名', born: '出生日期', search: '搜索', ask: '查询结果',
    already: '该报价已下单', priceAgain: '重新核价', takeBack: '撤销改签', takeBackNow: '立即撤销',
  },
} as const;

const day = (ahead: number) => new Date(Date.now() + ahead * 86_400_000).toISOString().slice(0, 10);
let turn = Math.floor(Date.now() / 1000) % 200;

async function search(page: Page, language: Language, query = ''): Promise<void> {
  turn += 1;
  await page.goto(`/sell?from=PEK&to=SHA&date=${day(20 + (turn % 60))}&go=1${query}`);
  await expect(page.getByRole('link', { name: say[language].choose }).first()).toBeVisible({ timeout: 30_000 });
}

async function travellers(page: Page, language: Language, family = 'Zhang', given = 'Wei'): Promise<void> {
  const text = say[language];
  await page.getByLabel(text.family, { exact: true }).first().fill(family);
  await page.getByLabel(text.given, { exact: true }).first().fill(given);
  await page.getByLabel(text.born, { exact: true }).first().fill('19900228');
  await page.getByLabel(/^(Phone|手机)$/).first().fill('+8613800138000');
  await page.getByLabel(/^(E-mail|邮箱)$/).first().fill('traveller@example.com');
  await page.getByRole('button', { name: text.confirmStep }).click();
}

async function sell(page: Page, language: Language): Promise<string> {
  await search(page, language);
  await page.getByRole('link', { name: say[language].choose }).first().click();
  await travellers(page, language);
  await page.getByRole('button', { name: say[language].issue }).click();
  await expect(page.locator('[data-sold]')).toBeVisible({ timeout: 30_000 });
  await page.getByRole('link', { name: say[language].open }).click();
  await expect(page).toHaveURL(/\/orders\/ord_/);
  return new URL(page.url()).pathname;
}

async function healthy(page: Page, name: string): Promise<void> {
  await page.waitForTimeout(200);
  await shot(page, name);
  expect(await seriousFaults(page)).toEqual([]);
}

for (const language of languages) {
  const text = say[language];
  test.describe(language, () => {
    test('sells by keyboard alone, from the palette to the ticket', async ({ page }) => {
      await signIn(page, 'agency', { language });
      const date = new Date(Date.now() + 45 * 86_400_000);
      const typed = `A PEKSHA${date.getUTCDate()}${['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'][date.getUTCMonth()]}`;
      await page.keyboard.press('Control+k');
      await expect(page.getByRole('combobox')).toBeFocused();
      await page.keyboard.type(typed);
      await expect(page.getByRole('option').first()).toContainText('PEK → SHA');
      await healthy(page, `palette-${language}`);
      await page.keyboard.press('Enter');
      const choose = page.getByRole('link', { name: text.choose }).first();
      await expect(choose).toBeVisible({ timeout: 30_000 });
      await healthy(page, `offers-${language}`);
      // Nothing but Tab leads there.
      for (let press = 0; press < 60 && !(await choose.evaluate((link) => link === document.activeElement)); press += 1) await page.keyboard.press('Tab');
      await expect(choose).toBeFocused();
      await page.keyboard.press('Enter');
      const family = page.getByLabel(text.family, { exact: true }).first();
      await expect(family).toBeFocused();
      await page.keyboard.type('Ouyang');
      await page.keyboard.press('Tab');
      await page.keyboard.type('Lan');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Tab');
      await page.keyboard.type('19851103');
      await page.keyboard.press('Tab');
      await page.keyboard.type('+8613800138000');
      await page.keyboard.press('Tab');
      await page.keyboard.type('lan@example.com');
      await healthy(page, `passengers-${language}`);
      await page.keyboard.press('Enter');
      const issue = page.getByRole('button', { name: text.issue });
      await expect(issue).toBeEnabled({ timeout: 30_000 });
      await healthy(page, `confirm-${language}`);
      for (let press = 0; press < 60 && !(await issue.evaluate((button) => button === document.activeElement)); press += 1) await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await expect(page.locator('[data-sold]')).toBeVisible({ timeout: 30_000 });
      await healthy(page, `sold-${language}`);
    });

    test('the order and its ticket tell the whole truth', async ({ page }) => {
      await signIn(page, 'agency', { language });
      await sell(page, language);
      await healthy(page, `order-${language}`);
      await page.locator('a[href^="/tickets/"]').first().click();
      await expect(page.locator('h1')).toContainText(/\d{3}-\d{10}/);
      await expect(page.getByText('agency.receivable').first()).toBeVisible();
      await healthy(page, `ticket-${language}`);
    });

    test('holds now and pays later', async ({ page }) => {
      await signIn(page, 'agency', { language });
      await search(page, language);
      await page.getByRole('link', { name: text.choose }).first().click();
      await travellers(page, language, 'Li', 'Na');
      await page.getByText(text.hold, { exact: true }).click();
      await page.getByRole('button', { name: text.holdNow }).click();
      await expect(page.locator('[data-sold]')).toBeVisible({ timeout: 30_000 });
      await page.getByRole('link', { name: text.open }).click();
      await healthy(page, `held-${language}`);
      await page.goto(`${new URL(page.url()).pathname}/pay`);
      const pay = page.getByRole('button', { name: text.pay });
      await expect(pay).toBeEnabled({ timeout: 30_000 });
      await healthy(page, `pay-${language}`);
      await pay.click();
      await expect(page.locator('[data-done]')).toBeVisible({ timeout: 30_000 });
    });

    test('voids in time', async ({ page }) => {
      await signIn(page, 'agency', { language });
      const order = await sell(page, language);
      await page.goto(`${order}/cancel`);
      const confirm = page.getByRole('button', { name: text.voidNow });
      await expect(confirm).toBeEnabled({ timeout: 30_000 });
      await healthy(page, `void-${language}`);
      await confirm.click();
      await expect(page.locator('[data-done]')).toBeVisible({ timeout: 30_000 });
      await page.goto(order);
      await healthy(page, `voided-${language}`);
    });

    test('refunds at the amount of the quote', async ({ page }) => {
      await signIn(page, 'agency', { language });
      const order = await sell(page, language);
      await page.goto(`${order}/refund`);
      await page.getByRole('button', { name: text.quote }).click();
      const confirm = page.getByRole('button', { name: text.refundNow });
      await expect(confirm).toBeEnabled({ timeout: 30_000 });
      await healthy(page, `refund-${language}`);
      await confirm.click();
      await expect(page.locator('[data-done]')).toBeVisible({ timeout: 30_000 });
    });

    test('exchanges for another day, and takes it back', async ({ page }) => {
      await signIn(page, 'agency', { language });
      const order = await sell(page, language);
      await page.goto(`${order}/change`);
      await page.getByLabel(text.changeThis).check();
      await page.getByLabel(/New date|新日期/).fill(day(100));
      await page.keyboard.press('Tab');
      await page.getByRole('button', { name: text.searchOther }).click();
      const choose = page.getByRole('button', { name: text.choose, exact: true }).first();
      await expect(choose).toBeVisible({ timeout: 30_000 });
      await healthy(page, `exchange-offers-${language}`);
      await choose.click();
      const confirm = page.getByRole('button', { name: text.exchangeNow });
      await expect(confirm).toBeEnabled({ timeout: 30_000 });
      await healthy(page, `exchange-${language}`);
      await confirm.click();
      await expect(page.locator('[data-done]')).toBeVisible({ timeout: 30_000 });
      // And thinks better of it within the void window.
      await page.getByRole('link', { name: text.takeBack }).click();
      const back = page.getByRole('button', { name: text.takeBackNow });
      await expect(back).toBeEnabled({ timeout: 30_000 });
      await healthy(page, `take-back-${language}`);
      await back.click();
      await expect(page.locator('[data-done]')).toBeVisible({ timeout: 30_000 });
    });
  });
}
