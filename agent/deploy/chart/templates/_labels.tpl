{{- define "labels" -}}
app.kubernetes.io/name: weir-agent
app.kubernetes.io/component: agent
app.kubernetes.io/part-of: weir
{{- end -}}
