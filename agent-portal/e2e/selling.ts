// A ticket of one airline, sold through the API by whoever is signed in: for journeys that begin after the sale.
import type { Page } from '@playwright/test';
import { expect } from './desk.ts';

interface Offer {
  id: string;
  owner: { iata_code: string };
  total_amount: string;
  total_currency: string;
  passengers: { id: string }[];
}

const headers = { 'Airsettle-Desk': '1' };

async function post(page: Page, path: string, data: unknown, key?: string): Promise<Record<string, unknown>> {
  // With the origin of the page, as a browser sends it.
  const origin = new URL(page.url()).origin;
  const answer = await page.request.post(path, { data: { data }, headers: { ...headers, Origin: origin, ...(key ? { 'Idempotency-Key': key } : {}) } });
  const body = (await answer.json()) as { data: Record<string, unknown> };
  expect(answer.ok(), JSON.stringify(body).slice(0, 600)).toBe(true);
  return body.data;
}

/** The number of the ticket: 13 digits. */
export async function sellTicket(page: Page, airline: string): Promise<string> {
  const departure_date = new Date(Date.now() + (20 + (Math.floor(Date.now() / 1000) % 60)) * 86_400_000).toISOString().slice(0, 10);
  const found = await post(page, '/air/offer_requests?return_offers=true', {
    slices: [{ origin: 'PEK', destination: 'CTU', departure_date }],
    passengers: [{ type: 'adult' }],
    cabin_class: 'economy',
  });
  const offer = (found.offers as Offer[]).find((one) => one.owner.iata_code === airline);
  if (!offer) throw new Error(`no offer of ${airline}`);
  const order = await post(
    page,
    '/air/orders',
    {
      type: 'instant',
      selected_offers: [offer.id],
      passengers: offer.passengers.map((one) => ({
        id: one.id,
        title: 'ms',
        gender: 'f',
        given_name: 'Na',
        family_name: 'Wang',
        born_on: '1990-02-28',
        email: 'traveller@example.com',
        phone_number: '+8613800138000',
      })),
      payments: [{ type: 'balance', amount: offer.total_amount, currency: offer.total_currency }],
    },
    `e2e-${Date.now()}`,
  );
  const documents = order.documents as { unique_identifier: string }[];
  return documents[0]!.unique_identifier.replace('-', '');
}
