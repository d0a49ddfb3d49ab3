// The operator: an agency is onboarded, its deposit recorded, frozen, and two people let it sell again.
import { expect, seriousFaults, shot, signIn, test } from './desk.ts';

const code = () => {
  const seven = String(1_000_000 + (Math.floor(Date.now() / 1000) % 8_999_999));
  return `${seven}${Number(seven) % 7}`;
};

for (const language of ['en', 'zh-CN'] as const) {
  const zh = language === 'zh-CN';
  test(`an agency is onboarded, funded, frozen and let sell again by two people (${language})`, async ({ page, browser }) => {
    test.setTimeout(180_000);
    await signIn(page, 'operator', { language });
    await page.goto('/agencies/new');
    const name = `${zh ? '成都天府旅行社' : 'Chengdu Tianfu Travel'} ${Date.now() % 100_000}`;
    await page.getByLabel(zh ? '名称' : 'Name', { exact: true }).fill(name);
    await page.getByLabel(zh ? '代理人号' : 'Numeric code').fill(code());
    await page.getByLabel(zh ? '账务联系人' : 'Billing contact').fill('billing@example.com');
    await shot(page, `onboard-${language}`);
    expect(await seriousFaults(page)).toEqual([]);
    await page.getByRole('button', { name: zh ? '办理入网' : 'Onboard', exact: true }).click();
    await expect(page.locator('[data-done]')).toBeVisible({ timeout: 30_000 });
    await page.getByRole('link', { name: zh ? '登记押金' : 'Record its deposit' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel(zh ? '金额' : 'Amount').fill('10000');
    await dialog.getByLabel(zh ? '银行流水号' : 'Bank reference').fill(`E2E-${Date.now()}`);
    await dialog.getByRole('button', { name: zh ? '核对' : 'Check' }).click();
    await shot(page, `receipt-${language}`);
    await dialog.getByRole('button', { name: zh ? '登记' : 'Record', exact: true }).click();
    await expect(dialog.locator('[data-done]')).toBeVisible({ timeout: 30_000 });
    await page.goto('/agencies');
    await page.getByRole('link', { name }).click();
    await expect(page.locator('h1')).toContainText(name);
    await shot(page, `agency-${language}`);
    expect(await seriousFaults(page)).toEqual([]);
    const stop = zh ? '启用紧急开关' : 'Throw a kill switch';
    const lift = zh ? '申请解除' : 'Ask to lift it';
    await page.getByRole('button', { name: stop }).click();
    await page.getByRole('dialog').locator('textarea').first().fill('checking');
    await page.getByRole('dialog').getByRole('button', { name: stop }).click();
    await page.getByRole('button', { name: lift }).click({ timeout: 30_000 });
    await page.getByRole('dialog').locator('textarea').first().fill('checked');
    await page.getByRole('dialog').getByRole('button', { name: lift }).click();
    await expect(page.getByText(zh ? '解除申请待第二人批准' : 'lifting waits for a second person')).toBeVisible({ timeout: 30_000 });
    const address = page.url();

    const context = await browser.newContext();
    const second = await context.newPage();
    await signIn(second, 'second_operator', { language });
    await second.goto('/approvals?status=pending');
    await second.locator('a[href^="/approvals/"]').first().click();
    await expect(second.locator('h1')).toBeVisible();
    await shot(second, `approval-${language}`);
    await second.getByRole('button', { name: zh ? '批准' : 'Approve', exact: true }).click();
    await second.getByRole('dialog').getByRole('button', { name: zh ? '批准' : 'Approve', exact: true }).click();
    await expect(second.getByText(zh ? '已批准' : 'approved').first()).toBeVisible({ timeout: 30_000 });
    await context.close();
    await page.goto(address);
    await expect(page.getByText(zh ? '没有启用的紧急开关。' : 'No kill switch is on.')).toBeVisible({ timeout: 30_000 });
  });
}

test('a developer makes a key, rolls it, and pings a webhook', async ({ page }) => {
  await signIn(page, 'agency');
  await page.goto('/developer/keys');
  await page.getByRole('button', { name: 'New key' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('e2e');
  await page.getByRole('dialog').getByRole('button', { name: 'New key' }).click();
  await expect(page.locator('[data-secret]')).toContainText('as_live_', { timeout: 30_000 });
  await page.getByRole('button', { name: 'I have kept it' }).click();
  await page.getByRole('button', { name: 'Roll' }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'Roll' }).click();
  await expect(page.locator('[data-secret]')).toContainText('as_live_', { timeout: 30_000 });
  await page.goto('/developer/webhooks');
  await page.getByRole('button', { name: 'New webhook' }).first().click();
  await page.getByRole('dialog').getByLabel('Address').fill('http://127.0.0.1:9/hook');
  await page.getByRole('dialog').getByRole('button', { name: 'New webhook' }).click();
  await expect(page.locator('[data-secret]')).toBeVisible({ timeout: 30_000 });
  await page.getByRole('button', { name: 'Ping' }).first().click();
  await expect(page.getByRole('button', { name: 'Ping sent' }).first()).toBeVisible({ timeout: 30_000 });
});
