import { texts } from '../../i18n';
import type en from './texts.en.json';

export const useBankTexts = texts<typeof en>('desks/bank');
