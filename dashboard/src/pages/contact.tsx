// SPDX-License-Identifier: MIT
import { encode, get, type Contact } from '../api'
import { ConsentBadges, ContactState } from '../contact'
import { useLive } from '../live'
import { Fact, Facts, Shown, Time } from '../parts'
import { to } from '../route'
import { t } from '../texts'

function View({ of }: { of: Contact }) {
  return (
    <>
      <p class="crumbs">
        <a href={to(['contacts'])}>{t('contacts')}</a>
      </p>
      <div class="title">
        <h1 class="id">{of.contact_id}</h1>
        <ContactState of={of} />
      </div>
      <p class="lead">{t(of.status === 'deleted' ? 'contact.deleted.detail' : 'contact.known.detail')}</p>
      <Facts>
        <Fact name={t('incidents.provider')}>{of.provider}</Fact>
        <Fact name={t('contact.provider_id')}>{of.provider_id && <span class="id">{of.provider_id}</span>}</Fact>
        <Fact name={t('contact.phone')}>{of.phone}</Fact>
        <Fact name={t('contact.email')}>{of.email}</Fact>
        <Fact name={t('contact.changed')}>{of.changed_at && <Time of={of.changed_at} long />}</Fact>
        <Fact name={t('contact.deleted_at')}>{of.deleted_at && <Time of={of.deleted_at} long />}</Fact>
        <Fact name={t('contact.version')}>{of.version === null ? null : String(of.version)}</Fact>
      </Facts>
      {of.status === 'known' && (
        <section>
          <h2>{t('contact.consents')}</h2>
          <ConsentBadges of={of.consents} />
          <p class="muted small">{t('contact.consents.about')}</p>
        </section>
      )}
      <p class="buttons">
        {of.phone_hash && (
          <a class="button" href={to(['messages'], { recipient_hash: of.phone_hash })}>
            {t('contact.messages.phone')}
          </a>
        )}
        {of.email_hash && (
          <a class="button" href={to(['messages'], { recipient_hash: of.email_hash })}>
            {t('contact.messages.email')}
          </a>
        )}
      </p>
    </>
  )
}

export function ContactPage({ provider, id }: { provider: string; id: string }) {
  const path = `contacts/${encode(provider)}/${encode(id)}`
  const live = useLive(path, (signal) => get<Contact>(path, {}, signal))
  return <Shown live={live}>{(contact) => <View of={contact} />}</Shown>
}
