// What is asked about a traveller, checked before anything is sent. The server checks again and has the last word.
import type { Schemas } from '../../../api/client';
import { z, filled, optional } from '../../../shared/form';

export type OfferPassenger = Schemas['OfferPassenger'];

export const traveller = z.object({
  id: z.string(),
  type: z.enum(['adult', 'child', 'infant_without_seat']),
  title: z.enum(['mr', 'ms', 'mrs', 'miss', 'dr']),
  gender: z.enum(['m', 'f']),
  family_name: filled('pax.family_missing').check(z.maxLength(60, 'pax.too_long')),
  given_name: filled('pax.given_missing').check(z.maxLength(60, 'pax.too_long')),
  born_on: z.string().check(z.regex(/^\d{4}-\d\d-\d\d$/, 'pax.born_missing')),
  email: optional.check(z.regex(/^$|^[^@\s]+@[^@\s]+\.[^@\s]+$/, 'pax.email_wrong')),
  phone_number: optional.check(z.regex(/^$|^\+[1-9]\d{6,14}$/, 'pax.phone_wrong')),
  document: optional,
  document_country: optional.check(z.regex(/^$|^[A-Z]{2}$/, 'pax.country_wrong')),
  document_expires: optional.check(z.regex(/^$|^\d{4}-\d\d-\d\d$/, 'pax.date_wrong')),
});
/** Every adult can be reached: airlines tell travellers of changes. */
const reachable = traveller.check(
  z.refine((one) => one.type !== 'adult' || one.phone_number !== '', { message: 'pax.phone_wrong', path: ['phone_number'] }),
  z.refine((one) => one.type !== 'adult' || one.email !== '', { message: 'pax.email_wrong', path: ['email'] }),
);
export const travellers = z.object({ passengers: z.array(reachable) });
export type Traveller = z.infer<typeof traveller>;

export function blank(passengers: readonly OfferPassenger[]): Traveller[] {
  return passengers.map((one) => ({
    id: one.id,
    type: one.type,
    title: one.type === 'adult' ? 'mr' : 'miss',
    gender: one.type === 'adult' ? 'm' : 'f',
    family_name: one.family_name ?? '',
    given_name: one.given_name ?? '',
    born_on: '',
    email: '',
    phone_number: '',
    document: '',
    document_country: 'CN',
    document_expires: '',
  }));
}

/** As the API wants them: each infant travels on the lap of an adult. */
export function ordered(list: readonly Traveller[], documents: boolean): Schemas['CreateOrderPassenger'][] {
  const infants = list.filter((one) => one.type === 'infant_without_seat').map((one) => one.id);
  return list.map((one) => {
    const infant = one.type === 'adult' ? infants.shift() : undefined;
    return {
      id: one.id,
      title: one.title,
      gender: one.gender,
      family_name: one.family_name,
      given_name: one.given_name,
      born_on: one.born_on,
      ...(one.email ? { email: one.email } : {}),
      ...(one.phone_number ? { phone_number: one.phone_number } : {}),
      ...(infant ? { infant_passenger_id: infant } : {}),
      ...(documents && one.document
        ? {
            identity_documents: [
              {
                type: 'passport',
                unique_identifier: one.document,
                issuing_country_code: one.document_country || null,
                expires_on: one.document_expires || null,
              },
            ],
          }
        : {}),
    };
  });
}

/** An eight-digit date as people type it, with its dashes. */
export const dashed = (text: string) => {
  const digits = text.replace(/\D/g, '').slice(0, 8);
  return [digits.slice(0, 4), digits.slice(4, 6), digits.slice(6)].filter(Boolean).join('-');
};
