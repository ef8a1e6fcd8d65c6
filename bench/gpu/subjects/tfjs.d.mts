import type { PageSubject } from '../page.ts';

export function subject(mode: string): Promise<PageSubject>;
