import { texts } from '../../i18n';
import type en from './texts.en.json';

export const usePaymentTexts = texts<typeof en>('desks/payments');
