import { texts } from '../../i18n';
import type en from './texts.en.json';

export const useControlTexts = texts<typeof en>('desks/control');
