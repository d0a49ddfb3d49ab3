import { texts } from '../../i18n';
import type en from './texts.en.json';

export const useLimitTexts = texts<typeof en>('desks/limits');
