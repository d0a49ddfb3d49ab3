import { texts } from '../../i18n';
import type en from './texts.en.json';

export const useDeveloperTexts = texts<typeof en>('desks/developer');
