// Renders a chart with what Helm renders it with: Go's templates and the functions of sprig, with `include` and strictness as Helm adds them.
// In: a JSON object {"templates": {name: text}, "root": {"Values", "Release", "Chart"}}. Out: the texts, in the order of their names, as a JSON list.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
)

type chart struct {
	Templates map[string]string      `json:"templates"`
	Root      map[string]interface{} `json:"root"`
}

func main() {
	if err := render(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func render() error {
	var in chart
	// Numbers are floats then, as they are with Helm.
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		return err
	}
	all := template.New("chart").Option("missingkey=zero")
	functions := sprig.TxtFuncMap()
	functions["include"] = func(name string, data interface{}) (string, error) {
		var out strings.Builder
		err := all.ExecuteTemplate(&out, name, data)
		return out.String(), err
	}
	all.Funcs(functions)
	names := make([]string, 0, len(in.Templates))
	for name := range in.Templates {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if _, err := all.New(name).Parse(in.Templates[name]); err != nil {
			return err
		}
	}
	texts := []string{}
	for _, name := range names {
		if strings.HasSuffix(name, ".tpl") {
			continue
		}
		var out strings.Builder
		if err := all.ExecuteTemplate(&out, name, in.Root); err != nil {
			return err
		}
		texts = append(texts, out.String())
	}
	return json.NewEncoder(os.Stdout).Encode(texts)
}
