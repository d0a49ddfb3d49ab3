import { texts } from '../../i18n';
import type en from './texts.en.json';

export const useTicketTexts = texts<typeof en>('desks/tickets');
