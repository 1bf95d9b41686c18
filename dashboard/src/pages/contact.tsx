// SPDX-License-Identifier: MIT
import { encode, get, type Contact } from '../api'
import { ConsentBadges, ContactState } from '../contact'
import { useLive } from '../live'
import { Fact, Facts, Head, NotFound, Shown, Time } from '../parts'
import { to } from '../route'
import { t } from '../texts'

function View({ of }: { of: Contact }) {
  return (
    <>
      <p class="lead">{t(of.status === 'deleted' ? 'contact.deleted.detail' : 'contact.known.detail')}</p>
      <Facts>
        <Fact name={t('incidents.provider')}>{of.provider}</Fact>
        <Fact name={t('contact.provider_id')}>{of.provider_id && <span class="id">{of.provider_id}</span>}</Fact>
        <Fact name={t('contact.phone')}>{of.phone}</Fact>
        <Fact name={t('contact.email')}>{of.email}</Fact>
        <Fact name={t('contact.changed')}>{of.changed_at && <Time of={of.changed_at} as="exact" />}</Fact>
        <Fact name={t('contact.deleted_at')}>{of.deleted_at && <Time of={of.deleted_at} as="exact" />}</Fact>
        <Fact name={t('contact.version')}>{of.version === null ? null : String(of.version)}</Fact>
      </Facts>
      {of.status === 'known' && (
        <section>
          <h2>{t('contact.consents')}</h2>
          {Object.keys(of.consents).length ? <ConsentBadges of={of.consents} /> : <p>{t('contact.consents.none')}</p>}
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
  const none = (
    <NotFound
      text={t('none.contact', { provider, id })}
      why={['none.contact.never', 'none.contact.other', 'none.contact.new']}
      again={live.again}
    >
      <a class="button" href={to(['contacts'], { id })}>
        {t('none.find.id')}
      </a>
    </NotFound>
  )
  return (
    <>
      <Head up="contacts" title={t('title.contact', { provider, id })} id={id}>
        {live.value && <ContactState of={live.value} />}
      </Head>
      <Shown live={live} none={none}>
        {(contact) => <View of={contact} />}
      </Shown>
    </>
  )
}
