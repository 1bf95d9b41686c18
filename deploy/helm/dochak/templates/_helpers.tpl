{{/* SPDX-License-Identifier: MIT */}}
{{/* Some of these take a dict: `root` is the chart's top, `component` is ingress, processor or migrate. */}}

{{- define "dochak.fullname" -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) -}}
{{- $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* What pods are found by: it never changes. */}}
{{- define "dochak.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "dochak.labels" -}}
{{ include "dochak.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* A value of a map of settings as text: Helm reads a number as a float. */}}
{{- define "dochak.text" -}}
{{- if kindIs "float64" . }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- end -}}

{{/* ---- pods: what Pod Security `restricted` demands, and a read-only file system ---- */}}

{{- define "dochak.pod" -}}
{{- $values := .root.Values -}}
{{- with $values.serviceAccountName -}}
serviceAccountName: {{ . }}
{{ end -}}
automountServiceAccountToken: false
# Kubernetes would set variables such as DOCHAK_INGRESS_PORT for a Service of that name, and the programs refuse unknown settings.
enableServiceLinks: false
{{- with $values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- with $values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{- define "dochak.spread" -}}
{{- $selector := dict "labelSelector" (dict "matchLabels" (include "dochak.selector" . | fromYaml)) -}}
{{- with .root.Values.topologySpreadConstraints -}}
topologySpreadConstraints:
  {{- range . }}
  - {{- merge (dict) . $selector | toYaml | nindent 4 }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "dochak.container" -}}
{{- $image := .root.Values.image -}}
image: {{ printf "%s:%s" $image.repository ($image.tag | default .root.Chart.AppVersion) | quote }}
imagePullPolicy: {{ $image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
resources: {{- toYaml (index .root.Values .component).resources | nindent 2 }}
{{- end -}}

{{- define "dochak.probes" -}}
# Liveness asks neither Kafka nor Postgres.
livenessProbe:
  httpGet: { path: /livez, port: ops }
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet: { path: /readyz, port: ops }
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 3
{{- end -}}

{{/* ---- environment and files ---- */}}

{{- define "dochak.env" -}}
{{- $values := .root.Values -}}
{{- $own := index $values .component -}}
- { name: DOCHAK_SECRETS_DIR, value: /run/dochak/secrets }
- { name: DOCHAK_LOG_LEVEL, value: {{ $values.logLevel | quote }} }
- { name: DOCHAK_KAFKA_BOOTSTRAP, value: {{ $values.kafka.bootstrap | quote }} }
- { name: DOCHAK_TOPIC_PREFIX, value: {{ $values.kafka.topicPrefix | quote }} }
{{- if or $values.kafka.properties $own.kafkaPropertiesSecret }}
- { name: DOCHAK_KAFKA_PROPERTIES, value: /etc/dochak/kafka/kafka.properties }
{{- end }}
{{- if eq (include "dochak.has.providers" .) "true" }}
- { name: DOCHAK_PROVIDERS_DIR, value: /etc/dochak/providers }
{{- end }}
{{- if ne .component "migrate" }}
- { name: DOCHAK_ENDPOINTS_FILE, value: /etc/dochak/endpoints/endpoints.json }
{{- end }}
{{- if eq .component "ingress" }}
{{- /* A pod that comes back is the same one in the minute records. */}}
- { name: DOCHAK_INSTANCE, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
- { name: DOCHAK_SPOOL_DIR, value: /var/lib/dochak/spool }
{{- with $own.trustedProxies }}
- { name: DOCHAK_TRUSTED_PROXIES, value: {{ join "," . | quote }} }
{{- end }}
{{- include "dochak.env.map" $own.settings }}
{{- else }}
{{- with $values.postgres }}
- { name: PGHOST, value: {{ .host | quote }} }
- { name: PGPORT, value: {{ include "dochak.text" .port | quote }} }
- { name: PGDATABASE, value: {{ .database | quote }} }
- { name: PGUSER, value: {{ ternary .owner .user (eq $.component "migrate") | quote }} }
- { name: PGSSLMODE, value: {{ .sslmode | quote }} }
- { name: PGSSLROOTCERT, value: {{ ternary "/etc/dochak/postgres/ca.crt" "/etc/ssl/certs/ca-certificates.crt" (ne .caSecret "") }} }
{{- include "dochak.env.map" .parameters }}
{{- if and (eq $.component "migrate") (ne .user .owner) }}
- { name: DOCHAK_RUNTIME_ROLE, value: {{ .user | quote }} }
{{- end }}
{{- end }}
{{- if and (eq .component "migrate") $values.api.role }}
- { name: DOCHAK_API_ROLE, value: {{ $values.api.role | quote }} }
{{- end }}
{{- include "dochak.env.map" $values.processor.settings }}
{{- end }}
{{- if eq .component "processor" }}
{{- if $own.holidays }}
- { name: DOCHAK_HOLIDAYS_FILE, value: /etc/dochak/holidays/holidays.txt }
{{- end }}
{{- if $own.publicCaSecret }}
- { name: DOCHAK_PUBLIC_CA, value: /etc/dochak/public-ca/ca.crt }
{{- end }}
{{- end }}
{{- end -}}

{{- define "dochak.env.map" -}}
{{- range $name, $value := . }}
- { name: {{ $name }}, value: {{ include "dochak.text" $value | quote }} }
{{- end }}
{{- end -}}

{{/* migrate needs none */}}
{{- define "dochak.has.providers" -}}
{{- and (ne .component "migrate") (or (not (empty .root.Values.providers)) (ne .root.Values.providersConfigMap "")) -}}
{{- end -}}

{{- define "dochak.mounts" -}}
{{- $values := .root.Values -}}
{{- $own := index $values .component -}}
- { name: secrets, mountPath: /run/dochak/secrets, readOnly: true }
{{- if ne .component "migrate" }}
- { name: endpoints, mountPath: /etc/dochak/endpoints, readOnly: true }
{{- end }}
{{- if eq .component "ingress" }}
- { name: spool, mountPath: /var/lib/dochak }
{{- else if $values.postgres.caSecret }}
- { name: postgres-ca, mountPath: /etc/dochak/postgres, readOnly: true }
{{- end }}
{{- if eq (include "dochak.has.providers" .) "true" }}
- { name: providers, mountPath: /etc/dochak/providers, readOnly: true }
{{- end }}
{{- if or $values.kafka.properties $own.kafkaPropertiesSecret }}
- { name: kafka, mountPath: /etc/dochak/kafka, readOnly: true }
{{- end }}
{{- range $folder, $name := $own.kafkaSecrets }}
- { name: kafka-{{ $folder }}, mountPath: /etc/dochak/kafka-secrets/{{ $folder }}, readOnly: true }
{{- end }}
{{- if eq .component "processor" }}
{{- if $own.holidays }}
- { name: holidays, mountPath: /etc/dochak/holidays, readOnly: true }
{{- end }}
{{- if $own.publicCaSecret }}
- { name: public-ca, mountPath: /etc/dochak/public-ca, readOnly: true }
{{- end }}
{{- end }}
{{- end -}}

{{- define "dochak.volumes" -}}
{{- $values := .root.Values -}}
{{- $own := index $values .component -}}
{{- $name := include "dochak.fullname" .root -}}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- if eq .component "migrate" }}
      # The owner's password is its own; the key of the recipients is the processor's.
      - secret: { name: {{ $values.processor.secret }}, items: [{ key: DOCHAK_RECIPIENT_KEY, path: DOCHAK_RECIPIENT_KEY }] }
      - secret: { name: {{ $own.secret }}, items: [{ key: DOCHAK_PG_PASSWORD, path: DOCHAK_PG_PASSWORD }] }
      - secret: { name: {{ $own.secret }}, optional: true, items: [{ key: DOCHAK_KAFKA_PASSWORD, path: DOCHAK_KAFKA_PASSWORD }] }
      {{- else }}
      - secret: { name: {{ $own.secret }} }
      {{- with $values.pingSecret }}
      - secret: { name: {{ . }}, items: [{ key: DOCHAK_PING_KEY, path: DOCHAK_PING_KEY }] }
      {{- end }}
      {{- if and (eq .component "processor") $values.api.secret }}
      - secret: { name: {{ $values.api.secret }}, items: [{ key: DOCHAK_API_KEY, path: DOCHAK_API_KEY }] }
      - secret: { name: {{ $values.api.secret }}, optional: true, items: [{ key: DOCHAK_API_POSTGRES_URL, path: DOCHAK_API_POSTGRES_URL }] }
      {{- end }}
      {{- end }}
{{- if ne .component "migrate" }}
- name: endpoints
  configMap: { name: {{ $values.ingress.endpointsConfigMap | default (printf "%s-endpoints" $name) }} }
{{- end }}
{{- if and (ne .component "ingress") $values.postgres.caSecret }}
- name: postgres-ca
  secret: { secretName: {{ $values.postgres.caSecret }}, items: [{ key: ca.crt, path: ca.crt }] }
{{- end }}
{{- if eq (include "dochak.has.providers" .) "true" }}
- name: providers
  configMap: { name: {{ $values.providersConfigMap | default (printf "%s-providers" $name) }} }
{{- end }}
{{- if $own.kafkaPropertiesSecret }}
- name: kafka
  secret: { secretName: {{ $own.kafkaPropertiesSecret }}, defaultMode: 0440 }
{{- else if $values.kafka.properties }}
- name: kafka
  configMap: { name: {{ $name }}-kafka{{ if eq .component "migrate" }}-migrate{{ end }} }
{{- end }}
{{- range $folder, $secret := $own.kafkaSecrets }}
- name: kafka-{{ $folder }}
  secret: { secretName: {{ $secret }}, defaultMode: 0440 }
{{- end }}
{{- if eq .component "processor" }}
{{- if $own.holidays }}
- name: holidays
  configMap: { name: {{ $name }}-holidays }
{{- end }}
{{- with $own.publicCaSecret }}
- name: public-ca
  secret: { secretName: {{ . }}, items: [{ key: ca.crt, path: ca.crt }] }
{{- end }}
{{- end }}
{{- end -}}

{{/* Pods start anew when what they read at their start has changed. */}}
{{- define "dochak.checksum" -}}
{{- $values := .root.Values -}}
{{- $read := list $values.kafka.properties $values.providers $values.ingress.endpoints -}}
{{- if eq .component "processor" }}{{ $read = append $read $values.processor.holidays }}{{ end -}}
checksum/config: {{ toJson $read | sha256sum }}
{{- end -}}

{{- define "dochak.kafka.properties" -}}
{{- range $name, $value := . }}
{{ $name }}={{ include "dochak.text" $value }}
{{- end }}
{{- end -}}
