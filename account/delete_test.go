package account_test

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/readout-dev/readout/ent/db/member"
	"github.com/readout-dev/readout/ent/db/project"
	"github.com/readout-dev/readout/ent/db/user"
)

// project makes a project with these owners and viewers.
func (d *desk) project(name string, owners, viewers []string) string {
	d.t.Helper()
	p := d.client.Project.Create().SetName(name).SaveX(d.system())
	for role, people := range map[member.Role][]string{member.RoleOWNER: owners, member.RoleVIEWER: viewers} {
		for _, email := range people {
			u := d.client.User.Query().Where(user.Email(email)).OnlyX(d.system())
			d.client.Member.Create().SetProject(p).SetUser(u).SetRole(role).ExecX(d.system())
		}
	}
	d.client.Device.Create().SetProject(p).SetName("boiler").ExecX(d.system())
	return strconv.FormatInt(p.ID, 10)
}

// owners returns the owners of a project by its name; nil: there is no such project.
func (d *desk) owners(name string) []string {
	return d.client.Project.Query().Where(project.Name(name)).QueryMembers().Where(member.RoleEQ(member.RoleOWNER)).
		QueryUser().Order(user.ByEmail()).Select(user.FieldEmail).StringsX(d.system())
}

func TestDeletedAccountLeavesNothingOrphaned(t *testing.T) {
	t.Parallel()
	d := setup(t)
	ada, eve := d.person("ada@example.org"), d.person("eve@example.org")
	bob := d.person("bob@example.org")
	adas, eves, bobs, both := []string{"ada@example.org"}, []string{"eve@example.org"}, []string{"bob@example.org"}, []string{"ada@example.org", "eve@example.org"}
	d.project("goes", adas, eves)
	d.project("shared", both, nil)
	d.project("seen", eves, adas)
	given := d.project("given", adas, nil)
	raised := d.project("raised", adas, bobs)
	foreign := d.project("foreign", eves, nil)
	remove := func(body object) answer {
		return d.do(http.MethodDelete, "/auth/me", body, bearer(ada.AccessToken))
	}
	remove(object{"password": newPassword}).expect(t, "a wrong password", 401, "unauthenticated")
	for name, heirs := range map[string]object{
		"a foreign project": {foreign: "bob@example.org"}, "no project": {"1": "bob@example.org"},
		"an unknown person": {given: "nobody@example.org"}, "oneself": {given: "ada@example.org"},
	} {
		remove(object{"password": goodPassword, "handOver": heirs}).expect(t, name, 404, "not_found")
	}
	remove(object{"password": goodPassword, "handOver": object{"x": "bob@example.org"}}).expect(t, "no id", 422, "invalid")
	remove(object{"password": goodPassword, "handOver": []string{given}}).expect(t, "no object", 422, "value_type")
	remove(object{"password": goodPassword, "handOver": object{given: 1}}).expect(t, "no text", 422, "value_type")
	if d.owners("given") == nil || !d.admitted(ada.AccessToken) {
		t.Fatal("what was refused has changed something")
	}

	remove(object{"password": goodPassword, "handOver": object{given: "BOB@example.org", raised: "bob@example.org"}}).expect(t, "delete", 204, "")
	for name, want := range map[string]string{
		"goes": "", "shared": "eve@example.org", "seen": "eve@example.org", "given": "bob@example.org", "raised": "bob@example.org",
	} {
		if got := d.owners(name); want == "" && got != nil || want != "" && (len(got) != 1 || got[0] != want) {
			t.Errorf("the project %q is owned by %v, want %q", name, got, want)
		}
	}
	if d.admitted(ada.AccessToken) || !d.admitted(eve.AccessToken) || !d.admitted(bob.AccessToken) {
		t.Error("not the sessions of the account, and only they, have ended")
	}
	d.post("/auth/login", credentials("ada@example.org", goodPassword)).expect(t, "log in", 401, "unauthenticated")
	for table, rows := range map[string]string{
		"members": "2 + 3", "sessions": "2", "devices": "5", "users": "2",
	} {
		var left, want int
		err := d.pool.QueryRow(t.Context(), `select (select count(*) from `+table+`), `+rows).Scan(&left, &want)
		if err != nil || left != want {
			t.Errorf("%d rows of %s are left (%v), want %d", left, table, err, want)
		}
	}
}
