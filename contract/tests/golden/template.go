// Makes template.json: what Go's own text/template writes for each of our cases, or that it fails.
// The tests need no Go; run `go run template.go > template.json` after a change here.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/template"
)

var env = map[string]string{
	"NAME": "web", "PORT": "8080", "EMPTY": "", "QUOTED": `a "b"\c`, "LINES": "x\ny", "WORDS": "grüße €", "CONTROL": "a\x00\x1b\u00a0\u2028z",
}

var cases = []string{
	``, `plain`, `{ } }} {`, `{{.Env.NAME}}`, `{{ .Env.NAME }}:{{ .Env.PORT }}`, `{{ $.Env.NAME }}`, `{{ (.Env).NAME }}`,
	`{{ "text" }}`, "{{ `raw \\n` }}", `{{ "a\tb\n\"\\" }}`, `{{ 42 }}`, `{{ -3 }}`, `{{ true }}`,
	`a {{- " b " -}} c`, "a \n\t{{- .Env.NAME -}}\r\n b", `{{- "x"}} y`, `x {{"y" -}}`, `{{-3}}`, "{{ \n.Env.NAME\n}}",
	`a{{/* note */}}b`, `a {{- /* note */ -}} b`, "a{{/* two\nlines */}}b", `{{ /* spaced */ }}`,
	`{{ if .Env.NAME }}yes{{ end }}`, `{{ if .Env.EMPTY }}yes{{ else }}no{{ end }}`, `{{ if .Env.NONE }}yes{{ else }}no{{ end }}`,
	`{{ if eq .Env.NAME "db" }}1{{ else if eq .Env.NAME "web" }}2{{ else }}3{{ end }}`,
	`{{ if eq .Env.NAME "a" }}1{{ else if eq .Env.NAME "b" }}2{{ else if eq .Env.NAME "c" }}3{{ else }}4{{ end }}`,
	`{{ if not .Env.EMPTY }}x{{ end }}`, `{{ if and .Env.NAME .Env.PORT }}x{{ end }}`, `{{ if or .Env.EMPTY .Env.NAME }}x{{ end }}`,
	`{{ and .Env.NAME .Env.EMPTY .Env.PORT }}|`, `{{ or .Env.EMPTY .Env.NAME .Env.PORT }}`, `{{ or .Env.EMPTY "" }}|`, `{{ and 1 0 }}`, `{{ or 0 1 }}`,
	`{{ with .Env.NAME }}<{{ . }}>{{ end }}`, `{{ with .Env.EMPTY }}<{{ . }}>{{ else }}none{{ end }}`, `{{ with .Env }}{{ .PORT }}{{ $.Env.NAME }}{{ end }}`,
	`{{ with $x := .Env.NAME }}{{ $x }}{{ end }}`, `{{ with $x := .Env.EMPTY }}a{{ else }}<{{ $x }}>{{ end }}`,
	`{{ range .Env }}[{{ . }}]{{ end }}`, `{{ range $k, $v := .Env }}{{ $k }}={{ $v }};{{ end }}`, `{{ range $v := .Env }}{{ $v }};{{ end }}`, `{{ range $v := .Env }}{{ . }}{{ else }}none{{ end }}`,
	`{{ range .Env.NONE }}a{{ else }}none{{ end }}`,
	`{{ $x := .Env.NAME }}{{ $x }}`, `{{ $x := "a" }}{{ $x = "b" }}{{ $x }}`, `{{ $x := "a" }}{{ if true }}{{ $x = "b" }}{{ end }}{{ $x }}`,
	`{{ $x := "a" }}{{ if true }}{{ $x := "b" }}{{ $x }}{{ end }}{{ $x }}`, `{{ if $x := .Env.NAME }}{{ $x }}{{ end }}`,
	`{{ $last := "" }}{{ range $k, $v := .Env }}{{ $last = $k }}{{ end }}{{ $last }}`, `{{ $e := .Env }}{{ $e.NAME }}`,
	`{{ if true }}{{ $x := 1 }}{{ end }}{{ $x }}`, `{{ $x }}`, `{{ $x = 1 }}`,
	`{{ .Env.NAME | print }}`, `{{ "a" | printf "%s-%s" "b" }}`, `{{ .Env.NAME | printf "%s" | len }}`, `{{ (len .Env.NAME) }}`, `{{ print (len .Env.NAME) (len .Env.PORT) }}`,
	`{{ print "a" "b" 1 2 true "c" 3 }}`, `{{ print }}|`, `{{ printf "%s %d %v %v %v %q %t %%" "a" 1 "b" 2 true "c" false }}`, `{{ printf "%%%d%%" 5 }}`, `{{ printf "100%" }}`,
	`{{ eq 1 1 }}{{ eq "a" "b" }}{{ eq "a" "b" "a" }}{{ eq true true }}`, `{{ ne 1 2 }}{{ ne "a" "a" }}`, `{{ lt 1 2 }}{{ le 2 2 }}{{ gt "b" "a" }}{{ ge 1 2 }}`,
	`{{ eq 1 "1" }}`, `{{ lt "a" 1 }}`, `{{ lt true false }}`, `{{ eq .Env.PORT 8080 }}`, `{{ eq 1 }}`, `{{ not }}`, `{{ not 1 2 }}`,
	`{{ index .Env "NAME" }}`, `{{ index .Env .Env.NAME }}|`, `{{ len .Env }}`, `{{ len "grüße" }}`, `{{ len 3 }}`, `{{ index .Env 3 }}`,
	`{{ .Env.NONE | default "d" }}`, `{{ default "d" .Env.EMPTY }}`, `{{ .Env.NAME | default "d" }}`, `{{ default "d" .Env.NONE | quote }}`, `{{ default 3 0 }}`,
	`{{ .Env.QUOTED | quote }}`, `{{ quote .Env.LINES .Env.NAME }}`, `{{ squote .Env.NAME 3 true }}`, `{{ .Env.WORDS | quote }}`, `{{ .Env.CONTROL | quote }}`, `{{ quote 5 }}`, `{{ printf "%q" .Env.WORDS }}`,
	`{{ if and (eq .Env.NAME "web") (or .Env.EMPTY (not .Env.NONE)) }}deep{{ end }}`, `{{ ((.Env.NAME)) }}`, `{{ (print "a" "b") | len }}`, `{{ (.Env.NAME | printf "%s!") }}`,
	`{{ if .Env.NAME }}{{ range .Env }}{{ with . }}{{ . | len }}{{ end }}{{ end }}{{ end }}`,
	`{{`, `{{ }}`, `{{ .Env.NAME`, `{{ if }}x{{ end }}`, `{{ if true }}x`, `{{ end }}`, `{{ else }}`, `{{ if true }}{{ else }}{{ else }}{{ end }}`, `{{ "open }}`, "{{ `open }}",
	`{{ nothing }}`, `{{ nil }}`, `{{ .Env.NAME "x" }}`, `{{ "a" "b" }}`, `{{ 1 | 2 }}`, `{{ .Env.NAME.More }}`, `{{ (.Env.NAME }}`, `{{ .Env.NAME) }}`, `{{ | print }}`, `{{ print | }}`,
	`{{ .Env.NAME.PORT }}`, `{{ .Other.x.y }}`, `{{ $x := }}`, `{{ $x, $y := .Env }}`, `{{ if $a, $b := .Env }}x{{ end }}`, `{{ "a"print }}`, `{{ print"a" }}`, `{{ /* open }}`, `{{ /* a */ print }}`, `{{ print "a\q" }}`, `{{ ? }}`, `{{ range 3x }}{{ end }}`, `{{ range .Env.NAME }}{{ end }}`,
}

func text(value any) string { return fmt.Sprintf("%v", value) }

func each(format string) func(...any) string {
	return func(values ...any) string {
		var out []string
		for _, value := range values {
			if value != nil {
				out = append(out, fmt.Sprintf(format, text(value)))
			}
		}
		return strings.Join(out, " ")
	}
}

// The meaning of Helm's three functions, written anew.
var functions = template.FuncMap{
	"quote": each("%q"), "squote": each("'%v'"),
	"default": func(fallback any, given ...any) any {
		if len(given) == 0 {
			return fallback
		}
		if truth, _ := template.IsTrue(given[0]); !truth {
			return fallback
		}
		return given[0]
	},
}

type vector struct {
	Template string  `json:"template"`
	Output   *string `json:"output"`
}

func main() {
	var vectors []vector
	for _, source := range cases {
		v := vector{Template: source}
		if parsed, err := template.New("").Funcs(functions).Parse(source); err == nil {
			var out strings.Builder
			if parsed.Execute(&out, map[string]any{"Env": env}) == nil {
				written := out.String()
				v.Output = &written
			}
		}
		vectors = append(vectors, v)
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(map[string]any{"env": env, "vectors": vectors}); err != nil {
		panic(err)
	}
}
