"""Small Helm charts for tests, written into a folder."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from pathlib import Path

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "app.name" . }}
  {{- with .Values.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  replicas: {{ .Values.replicas }}
  {{- with .Values.pod }}
  template:
    spec:
      priorityClassName: {{ .priority }}
      hostNetwork: {{ .network.host }}
  {{- end }}
"""
SERVICE = """\
{{- if .Values.service.enabled }}
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}
spec:
  type: {{ $.Values.service.type | default "ClusterIP" }}
  {{- if .Values.service.externalTrafficPolicy }}
  externalTrafficPolicy: {{ .Values.service.externalTrafficPolicy }}
  {{- end }}
  ports: {{- toYaml .Values.service.ports | nindent 4 }}
{{- end }}
---
{{- if index .Values "extra-map" "enabled" }}
{{- include "app.component" (dict "ctx" . "component" .Values.worker) }}
{{- end }}
"""
HELPERS = """\
{{- define "app.name" -}}{{ default .Chart.Name .Values.nameOverride }}{{- end }}
{{- define "app.component" -}}
kind: ConfigMap
data: {replicas: {{ .component.replicas | quote }}, image: {{ .component.image.tag }}}
{{- end }}
"""
VALUES = """\
replicas: 1
nameOverride: ""
annotations: {}
pod: {priority: "", network: {host: false}}
service:
  enabled: true
  type: ClusterIP
  ports: []
  # loadBalancerSourceRanges: []
worker: {replicas: 1, image: {tag: "", repository: app}, config: {level: info}}
extra-map: {enabled: false}
podLabels: {component: app}
"""
APP = {
    "Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.2.3\n",
    "values.yaml": VALUES,
    "templates/_helpers.tpl": HELPERS,
    "templates/deployment.yaml": DEPLOYMENT,
    "templates/service.yaml": SERVICE,
    "templates/NOTES.txt": "Thank you for installing {{ .Chart.Name }}.\n",
}


def write_chart(folder: Path, files: Mapping[str, str] = APP, *, name: str = "app") -> Path:
    """The chart in ``folder/name``."""
    for path, text in files.items():
        target = folder / name / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return folder / name


def pack(chart: Path) -> Path:
    """The chart as ``<name>-1.2.3.tgz`` beside its folder."""
    archive = chart.with_name(f"{chart.name}-1.2.3.tgz")
    with tarfile.open(archive, "w:gz") as file:
        file.add(chart, arcname=chart.name)
    return archive
