package analysis

import (
	"cmp"
	"slices"
)

// index says which series are asked for, each once, and which groups want them. A series' place is its place in it.
type index struct {
	groups   int
	series   []int64             // ascending in each project
	wanted   [][]int32           // by place: the groups that have it, ascending
	labels   []map[string]string // by place
	projects []projectSeries     // ascending by id
	members  []int               // by group: how many series it has
}

// projectSeries is what is asked for of one project.
type projectSeries struct {
	project int64
	place   int // of the first
	series  []int64
}

// newIndex lists the series of the groups.
func newIndex(groups [][]Member) *index {
	type wish struct {
		*Member
		group int32
	}
	var wishes []wish
	for g := range groups {
		for m := range groups[g] {
			wishes = append(wishes, wish{&groups[g][m], int32(g)})
		}
	}
	slices.SortFunc(wishes, func(a, b wish) int {
		return cmp.Or(cmp.Compare(a.Project, b.Project), cmp.Compare(a.Series, b.Series), cmp.Compare(a.group, b.group))
	})
	x := &index{groups: len(groups), members: make([]int, len(groups))}
	for i, w := range wishes {
		switch {
		case i == 0 || wishes[i-1].Project != w.Project:
			x.projects = append(x.projects, projectSeries{project: w.Project, place: len(x.series)})
			x.add(w.Member)
		case wishes[i-1].Series != w.Series:
			x.add(w.Member)
		case wishes[i-1].group == w.group:
			continue
		}
		last := len(x.wanted) - 1
		x.wanted[last] = append(x.wanted[last], w.group)
		x.members[w.group]++
	}
	for i := range x.projects {
		p := &x.projects[i]
		end := len(x.series)
		if i+1 < len(x.projects) {
			end = x.projects[i+1].place
		}
		p.series = x.series[p.place:end:end]
	}
	return x
}

func (x *index) add(m *Member) {
	x.series = append(x.series, m.Series)
	x.labels = append(x.labels, m.Labels)
	x.wanted = append(x.wanted, nil)
}

// share returns all of a project as one share.
func (p *projectSeries) share(f *frame) share {
	s := share{project: p.project, series: p.series, places: make([]int, len(p.series)), from: f.from(), to: f.to()}
	for i := range s.places {
		s.places[i] = p.place + i
	}
	return s
}

// halves divides the series of a project in two, and says of each in which half it is. Whole groups are together, if that
// makes halves of about one size: then neither has to be added to the other. Else neighbours are, since rows hold neighbours.
func (x *index) halves(p *projectSeries) []int {
	of := make([]int, len(p.series))
	sizes := make([]int, x.groups) // of the groups, in this project
	for i := range of {
		groups := x.wanted[p.place+i]
		if len(groups) > 1 {
			return byNeighbours(of)
		}
		sizes[groups[0]]++
	}
	in, first := make([]int, x.groups), 0 // the groups that come first make the first half
	for g, n := range sizes {
		if 2*first+n > len(of) {
			in[g] = 1
		}
		if in[g] == 0 {
			first += n
		}
	}
	if alike := len(of) / 8; 2*first < len(of)-2*alike || 2*first > len(of)+2*alike {
		return byNeighbours(of)
	}
	for i := range of {
		of[i] = in[x.wanted[p.place+i][0]]
	}
	return of
}

func byNeighbours(of []int) []int {
	for i := range of {
		of[i] = 2 * i / len(of)
	}
	return of
}
