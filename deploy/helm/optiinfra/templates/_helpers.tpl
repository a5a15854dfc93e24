{{- define "optiinfra.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 52 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "optiinfra.selector" -}}
app.kubernetes.io/name: optiinfra
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "optiinfra.labels" -}}
{{ include "optiinfra.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "optiinfra.account" -}}
{{ .Values.serviceAccount.name | default (include "optiinfra.name" .) }}
{{- end }}

{{- define "optiinfra.syncAccount" -}}
{{ .Values.sync.serviceAccount.name | default (printf "%s-sync" (include "optiinfra.name" .)) }}
{{- end }}

{{- define "optiinfra.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
