/* What the project settles for itself: who is let in, and how tickets are worked on. */
import { Audit } from './audit';
import { DefinitionSection } from './definitions';
import { Project } from './project';
import { Users } from './users';
import type { Text } from '../../text/text';
import { t } from '../../text/text';

const SECTIONS = [
  ['', 'admin.users', Users],
  ['teams', 'admin.teams', () => <DefinitionSection kind="team" />],
  ['types', 'admin.types', () => <DefinitionSection kind="type" />],
  ['fields', 'admin.fields', () => <DefinitionSection kind="field" />],
  ['labels', 'admin.labels', () => <DefinitionSection kind="label" />],
  ['macros', 'admin.macros', () => <DefinitionSection kind="macro" />],
  ['replies', 'admin.replies', () => <DefinitionSection kind="reply" />],
  ['audit', 'admin.audit', Audit],
  ['project', 'admin.project', Project],
] as const satisfies readonly (readonly [string, Text, preact.ComponentType])[];

export function Admin({ section }: { section: string }) {
  const [, title, Section] = SECTIONS.find(([id]) => id === section) ?? SECTIONS[0];
  return (
    <div class="page-body">
      <h1>{t('nav.admin')}</h1>
      <nav class="sections" aria-label={t('nav.admin')}>
        {SECTIONS.map(([id, name]) => (
          <a key={id} href={id ? `/admin/${id}` : '/admin'} {...(name === title && { 'aria-current': 'page' as const })}>
            {t(name)}
          </a>
        ))}
      </nav>
      <Section key={title} />
    </div>
  );
}
