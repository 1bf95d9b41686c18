// SPDX-License-Identifier: MIT
// The frame: the key, the pages, the language.
import { useEffect, useRef, useState } from 'preact/hooks'
import { Fault, get, key } from './api'
import { zone } from './format'
import { useNow, useTitle, whenRefused } from './live'
import { OutageNote, WhatToDo } from './outage'
import { AlertsPage } from './pages/alerts'
import { ContactPage } from './pages/contact'
import { ContactsPage } from './pages/contacts'
import { IncidentPage } from './pages/incident'
import { IncidentsPage } from './pages/incidents'
import { MessagePage } from './pages/message'
import { MessagesPage } from './pages/messages'
import { OverviewPage } from './pages/overview'
import { ProviderPage } from './pages/provider'
import { QuarantinePage } from './pages/quarantine'
import { Head } from './parts'
import { focusContent, to, useRoute, type Route } from './route'
import { choose, currentLanguage, languages, nameOf, t, type Key } from './texts'

const NAV = ['', 'incidents', 'alerts', 'messages', 'contacts', 'quarantine']

function View({ route: { path, query } }: { route: Route }) {
  const [page, first, second] = path
  if (page === 'incidents') return first ? <IncidentPage id={first} /> : <IncidentsPage query={query} />
  if (page === 'messages') return first && second ? <MessagePage provider={first} id={second} /> : <MessagesPage query={query} />
  if (page === 'providers' && first) return <ProviderPage name={first} />
  if (page === 'alerts') return <AlertsPage query={query} />
  if (page === 'contacts') return first && second ? <ContactPage provider={first} id={second} /> : <ContactsPage query={query} />
  if (page === 'quarantine') return <QuarantinePage query={query} />
  return page ? <UnknownPage place={path.join('/')} /> : <OverviewPage />
}

function UnknownPage({ place }: { place: string }) {
  return (
    <>
      <Head up="overview" title={t('title.unknown', { id: place })} id={place} />
      <p class="lead">{t('unknown.detail')}</p>
    </>
  )
}

function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M8 17l5.500 5.500L24 11" />
    </svg>
  )
}

// There are two: the button is the other one.
function OtherLanguage({ onChange }: { onChange: () => void }) {
  const other = languages.find((language) => language !== currentLanguage())!
  function change() {
    choose(other)
    onChange()
  }
  return (
    <button lang={other} onClick={change}>
      {nameOf(other)}
    </button>
  )
}

// Of all times on the page. A season may begin while it is open.
function Zone() {
  useNow()
  return <p class="zone">{t('zone', { zone: zone() })}</p>
}

function AskForKey({ onKey }: { onKey: () => void }) {
  const [fault, setFault] = useState<{ text: string; away?: boolean }>()
  useTitle(t('key.title'))
  async function open(event: SubmitEvent) {
    event.preventDefault()
    const given = String(new FormData(event.currentTarget as HTMLFormElement).get('key')).trim()
    key.set(/^[\x21-\x7e]+$/.test(given) ? given : '-') // nothing else can be in a header
    try {
      await get('overview')
      onKey()
    } catch (error) {
      key.forget()
      const { status, detail } = error as Fault
      if (status === 401) setFault({ text: t('key.wrong') })
      else if (detail) setFault({ text: `${t('fault.other', { status: String(status) })} ${detail}` })
      else setFault({ text: t('fault.0'), away: true })
    }
  }
  return (
    <main class="door" id="content">
      <form onSubmit={open} class="card">
        <Mark />
        <h1>{t('key.title')}</h1>
        <p class="muted" id="hint">
          {t('key.hint')}
        </p>
        <label class="field">
          <span>{t('key.label')}</span>
          <input
            name="key"
            type="password"
            required
            autoFocus
            autocomplete="off"
            spellcheck={false}
            aria-describedby={fault ? 'fault hint' : 'hint'}
            aria-invalid={!!fault}
          />
        </label>
        {fault && (
          <p class="wrong" id="fault" role="alert">
            {fault.text}
          </p>
        )}
        <button type="submit">{t('key.open')}</button>
        {fault?.away && <WhatToDo />}
      </form>
    </main>
  )
}

function Top({ page, hasKey, onLanguage, onLeave }: { page: string; hasKey: boolean; onLanguage: () => void; onLeave: () => void }) {
  return (
    <header class="top">
      <a class="brand" href={to([])}>
        <Mark />
        <span>
          dochak <span class="muted">{t('title')}</span>
        </span>
      </a>
      {hasKey && (
        <nav aria-label={t('nav')}>
          {NAV.map((name) => (
            <a href={to(name ? [name] : [])} aria-current={page === name ? 'page' : undefined}>
              {t(`nav.${name || 'overview'}` as Key)}
            </a>
          ))}
        </nav>
      )}
      <div class="tools">
        <OtherLanguage onChange={onLanguage} />
        {hasKey && <button onClick={onLeave}>{t('leave')}</button>}
      </div>
      {hasKey && <Zone />}
    </header>
  )
}

export function App() {
  const route = useRoute()
  const [hasKey, setHasKey] = useState(!!key.get())
  const [language, setLanguage] = useState(currentLanguage())
  const place = route.path.join('/')
  const page = route.path[0] ?? ''
  const first = useRef(true)
  useEffect(() => whenRefused(() => setHasKey(false)), [])
  useEffect(() => {
    document.documentElement.lang = language
  }, [language])
  useEffect(() => {
    if (!first.current) {
      scrollTo(0, 0)
      focusContent() // so that the keyboard and a screen reader go on in the new page
    }
    first.current = false
  }, [place])
  function leave() {
    key.forget()
    setHasKey(false)
  }
  return (
    <div key={language}>
      <a class="skip" href="#content" onClick={(event) => (event.preventDefault(), focusContent())}>
        {t('skip')}
      </a>
      <Top page={page === 'providers' ? '' : page} hasKey={hasKey} onLanguage={() => setLanguage(currentLanguage())} onLeave={leave} />
      {hasKey ? (
        <main id="content" tabIndex={-1}>
          <OutageNote />
          <View route={route} />
        </main>
      ) : (
        <AskForKey onKey={() => setHasKey(true)} />
      )}
    </div>
  )
}
