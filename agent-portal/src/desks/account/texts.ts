import { texts } from '../../i18n';
import type en from './texts.en.json';

export const useAccountTexts = texts<typeof en>('desks/account');
