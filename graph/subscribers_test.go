package graph_test

import (
	"testing"
)

const whoListens = `query($p: ID!) { subscribers(project: $p) { id user { email } key { id } field operationName sharing transport } }`

func TestOwnerSeesWhoIsSubscribedAndEndsIt(t *testing.T) {
	t.Parallel()
	w := setup(t)
	arguments := `project: "` + id(w.ours.project) + `", series: {}`
	viewer := w.subscribe("viewer", arguments)
	viewer.next()
	key := w.subscribe("projectKey", arguments)
	key.next()

	list := w.ask("owner", whoListens, "p", w.ours.project).at("subscribers").([]any)
	if len(list) != 2 {
		t.Fatalf("subscribers: %v", list)
	}
	first, second := list[0].(map[string]any), list[1].(map[string]any)
	if first["user"] == nil || first["key"] != nil || second["key"] == nil || second["user"] != nil {
		t.Errorf("want a person, then a key: %v", list)
	}
	if first["field"] != "readings" || first["transport"] != "WEBSOCKET" || text(first["sharing"]) != "2" {
		t.Errorf("a subscriber among two who share: %v", first)
	}

	kick := w.ask("owner", `mutation($p: ID!, $id: ID!) { kickSubscriber(project: $p, id: $id) }`, "p", w.ours.project, "id", first["id"])
	if kick.code() != ok {
		t.Fatal(kick.Body)
	}
	if e := viewer.next(); e.code != "FORBIDDEN" {
		t.Errorf("the one who was ended got %+v", e)
	}
	w.send(w.ours.series, 1)
	if e := key.next(); len(e.Readings) != 1 {
		t.Errorf("the other one got %+v", e)
	}
	if list := w.ask("owner", whoListens, "p", w.ours.project).at("subscribers").([]any); len(list) != 1 {
		t.Errorf("left: %v", list)
	}
}
